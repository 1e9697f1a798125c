import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseDocument } from "yaml";
import { decodeUtf8 } from "../core/decode-utf8.ts";
import type { Config } from "../platform/config/config.ts";
import { loadConfig } from "../platform/config/load-config.ts";
import type { CommandContext } from "./context.ts";

/** Settings that a command needs when no server runs in its process. */
export interface LocalSettings {
  /** Port of the API on this machine. */
  readonly port: string;
  /** Absolute. */
  readonly dataFolder: string;
  readonly runbooks: string;
  readonly publicUrl: string | undefined;
}

/** Stands for secrets in files: they are not needed here, and may be out of reach for the person who calls the command. */
const unreadSecret = "unread-secret-of-a-file";

/** The settings of `runbookd.yml` in a folder, without the secrets that files hold; undefined: there is no such file, or it has a fault. */
export function readFileConfig(folder: string): Config | undefined {
  const text = readSettingsText(folder);
  const loaded = text === undefined ? undefined : loadConfig({ env: {}, yaml: text, readFile: () => unreadSecret });
  return loaded?.ok === true ? loaded.config : undefined;
}

function readSettingsText(folder: string): string | undefined {
  const file = resolve(folder, "runbookd.yml");
  if (!existsSync(file)) return undefined;
  const decoded = decodeUtf8(readFileSync(file));
  return decoded.ok ? decoded.text : undefined;
}

/** Each setting from the environment, else from `runbookd.yml` in the working directory, else its default. Never fails: a fault of the file is a matter of `runbookd doctor`. */
export function readLocalSettings({ env, workingDirectory }: Pick<CommandContext, "env" | "workingDirectory">): LocalSettings {
  const written = parseSettings(readSettingsText(workingDirectory) ?? "");
  const settingOf = (name: string): string | undefined => [env[name], written(name)].find((value) => value !== undefined && value !== "");
  return {
    port: settingOf("RUNBOOKD_PORT") ?? "9097",
    dataFolder: resolve(workingDirectory, settingOf("RUNBOOKD_DATA") ?? ".runbookd"),
    runbooks: settingOf("RUNBOOKD_RUNBOOKS") ?? "runbooks",
    publicUrl: settingOf("RUNBOOKD_PUBLIC_URL"),
  };
}

/** Another setting of the file may be wrong, or name a secret, and is not looked at. */
function parseSettings(text: string): (name: string) => string | undefined {
  const document = parseDocument(text);
  return (name) => {
    const value: unknown = document.errors.length > 0 ? undefined : document.get(name);
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
}
