import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { decodeUtf8 } from "../core/decode-utf8.ts";
import type { Config } from "../platform/config/config.ts";
import { describeFaults } from "../platform/config/config-fault.ts";
import { type LoadedConfig, loadConfig } from "../platform/config/load-config.ts";
import type { CommandContext } from "./context.ts";

/** The settings of the environment and of `runbookd.yml` in the working directory, with every path made absolute. */
export function readConfig(context: Pick<CommandContext, "env" | "workingDirectory">): LoadedConfig {
  const absolute = (path: string): string => resolve(context.workingDirectory, path);
  const yaml = absolute("runbookd.yml");
  const written = existsSync(yaml) ? decodeUtf8(readFileSync(yaml)) : undefined;
  if (written?.ok === false) {
    const { line, column, message } = written;
    const problem = `is no text (line ${line}, column ${column}): ${message.replace(/\.$/, "")}`;
    return { ok: false, faults: [{ key: "runbookd.yml", source: "runbookd.yml", problem, accepted: "a text in UTF-8" }] };
  }
  const loaded = loadConfig({
    env: context.env,
    ...(written !== undefined && { yaml: written.text }),
    readFile: (path) => readUtf8(absolute(path)),
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

/** Throws for bytes that are no text: a secret with other characters in their place would be another secret. */
function readUtf8(path: string): string {
  const decoded = decodeUtf8(readFileSync(path));
  if (!decoded.ok) throw new Error(`${path}:${decoded.line}:${decoded.column}: ${decoded.message}`);
  return decoded.text;
}

function withAbsolutePaths(config: Config, absolute: (path: string) => string): Config {
  return {
    ...config,
    dataFolder: absolute(config.dataFolder),
    runbooks: absolute(config.runbooks),
    attacks: absolute(config.attacks),
    ticketWork:
      config.ticketWork === undefined
        ? undefined
        : { repository: absolute(config.ticketWork.repository), worktrees: absolute(config.ticketWork.worktrees) },
    freezeFile: config.freezeFile === undefined ? undefined : absolute(config.freezeFile),
    priceTable: config.priceTable === undefined ? undefined : absolute(config.priceTable),
    priceOverlay: config.priceOverlay === undefined ? undefined : absolute(config.priceOverlay),
    modelTable: config.modelTable === undefined ? undefined : absolute(config.modelTable),
  };
}
