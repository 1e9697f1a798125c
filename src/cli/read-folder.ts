import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { withCommands } from "../actions/run-command.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import type { ActionCatalogue } from "../core/action.ts";
import { loadConfig } from "../platform/config/load-config.ts";
import type { LintInput } from "../runbooks/lint/lint-folder.ts";
import type { TextFile } from "../runbooks/rules/alert-rules.ts";

/** Where lint and index look; relative to the working directory. */
export interface RunbookPlaces {
  readonly workingDirectory: string;
  /** A folder of runbooks, or single files. */
  readonly runbooks: readonly string[];
  /** A folder of `*.rules.yml`; one that does not exist means that alerts are not checked. */
  readonly rules?: string;
  readonly alertmanager?: string;
}

/** What lint looks at, read from disk, or the path that does not exist. */
export function readLintInput(places: RunbookPlaces): { readonly input: LintInput } | { readonly missing: string } {
  const missing = places.runbooks.find((path) => !existsSync(resolve(places.workingDirectory, path)));
  if (missing !== undefined) return { missing };
  const runbooks = places.runbooks.flatMap((path) => documentsAt(places.workingDirectory, path));
  // Alerts name runbooks of the whole folder; beside a single file they would all seem to be missing.
  const isWhole = places.runbooks.every((path) => statSync(resolve(places.workingDirectory, path)).isDirectory());
  const alertmanager = places.alertmanager === undefined || !isWhole ? undefined : readText(places.workingDirectory, places.alertmanager);
  return {
    input: {
      runbooks,
      rules:
        places.rules === undefined || !isWhole ? [] : filesIn(places.workingDirectory, places.rules, (name) => name.endsWith(".rules.yml")),
      ...(alertmanager === undefined ? {} : { alertmanager }),
      catalogue: catalogueOf(places.workingDirectory),
      exists: (path) => existsSync(resolve(places.workingDirectory, path)),
    },
  };
}

/** The actions with the commands that runbookd.yml registers; without the file no command is known and none is missed. */
function catalogueOf(workingDirectory: string): ActionCatalogue {
  const file = resolve(workingDirectory, "runbookd.yml");
  if (!existsSync(file)) return actionCatalogue;
  // Secrets are not needed to read a document, and may be out of reach where documents are checked.
  const loaded = loadConfig({ env: {}, yaml: readFileSync(file, "utf8"), readFile: () => "unread" });
  return loaded.ok ? withCommands(actionCatalogue, loaded.config.commands) : actionCatalogue;
}

function documentsAt(workingDirectory: string, path: string): readonly TextFile[] {
  if (statSync(resolve(workingDirectory, path)).isDirectory()) {
    return filesIn(workingDirectory, path, (name) => name.endsWith(".md") && name.toLowerCase() !== "readme.md");
  }
  return [readText(workingDirectory, path)].filter((file) => file !== undefined);
}

function filesIn(workingDirectory: string, folder: string, wanted: (name: string) => boolean): readonly TextFile[] {
  const absolute = resolve(workingDirectory, folder);
  if (!existsSync(absolute)) return [];
  const names = readdirSync(absolute, { withFileTypes: true }).filter((entry) => entry.isFile() && wanted(entry.name));
  return names
    .map((entry) => entry.name)
    .toSorted()
    .flatMap((name) => readText(workingDirectory, join(folder, name)) ?? []);
}

/** One text file; inside the working directory its path is relative. Undefined when there is none. */
export function readText(workingDirectory: string, path: string): TextFile | undefined {
  const absolute = resolve(workingDirectory, path);
  if (!existsSync(absolute)) return undefined;
  // Inside the working directory a path is shown as editors do: relative, with slashes.
  const shown = relative(workingDirectory, absolute);
  const file = shown.startsWith("..") ? absolute : shown;
  return { file: file.split(sep).join("/"), source: readFileSync(absolute, "utf8") };
}
