import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Config } from "../platform/config/config.ts";
import { describeFaults } from "../platform/config/config-fault.ts";
import { type LoadedConfig, loadConfig } from "../platform/config/load-config.ts";
import type { CommandContext } from "./context.ts";

/** The settings of the environment and of `runbookd.yml` in the working directory, with every path made absolute. */
export function readConfig(context: Pick<CommandContext, "env" | "workingDirectory">): LoadedConfig {
  const absolute = (path: string): string => resolve(context.workingDirectory, path);
  const yaml = absolute("runbookd.yml");
  const loaded = loadConfig({
    env: context.env,
    ...(existsSync(yaml) ? { yaml: readFileSync(yaml, "utf8") } : {}),
    readFile: (path) => readFileSync(absolute(path), "utf8"),
  });
  return loaded.ok ? { ok: true, config: withAbsolutePaths(loaded.config, absolute) } : loaded;
}

/** The settings, or undefined after every fault was printed; then the exit code is 78. */
export function readConfigOrExplain(context: CommandContext): Config | undefined {
  const loaded = readConfig(context);
  if (loaded.ok) return loaded.config;
  context.warn(`${describeFaults(loaded.faults)}\n`);
  return undefined;
}

function withAbsolutePaths(config: Config, absolute: (path: string) => string): Config {
  return {
    ...config,
    dataFolder: absolute(config.dataFolder),
    runbooks: absolute(config.runbooks),
    ticketWork:
      config.ticketWork === undefined
        ? undefined
        : { repository: absolute(config.ticketWork.repository), worktrees: absolute(config.ticketWork.worktrees) },
    freezeFile: config.freezeFile === undefined ? undefined : absolute(config.freezeFile),
    priceTable: config.priceTable === undefined ? undefined : absolute(config.priceTable),
    modelTable: config.modelTable === undefined ? undefined : absolute(config.modelTable),
  };
}
