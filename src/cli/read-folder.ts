import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative, resolve, sep } from "node:path";
import { withCommands } from "../actions/run-command.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import { kindOf } from "../platform/read-regular-file.ts";
import type { LintInput } from "../runbooks/lint/lint-folder.ts";
import { decodeTextFile, isPassedOver, isRunbookFile, type TextFile } from "../runbooks/text-file.ts";
import { readFileConfig } from "./local-settings.ts";

/** Where lint and index look; relative to the working directory. */
export interface RunbookPlaces {
  readonly workingDirectory: string;
  /** A folder of runbooks, or single files. */
  readonly runbooks: readonly string[];
  /** A folder of rule files, `*.yml` or `*.yaml`, or one file; when it does not exist alerts are not checked. */
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
  const rulesPlace = isWhole ? places.rules : undefined;
  const rules = rulesPlace === undefined ? [] : rulesAt(places.workingDirectory, rulesPlace);
  const configuration = readFileConfig(places.workingDirectory);
  return {
    input: {
      runbooks,
      rules,
      ...(rulesPlace !== undefined && existsSync(resolve(places.workingDirectory, rulesPlace)) && { rulesPlace }),
      ...(alertmanager === undefined ? {} : { alertmanager }),
      catalogue: configuration === undefined ? actionCatalogue : withCommands(actionCatalogue, configuration.commands),
      severities: configuration?.severities ?? {},
      ...(configuration !== undefined && { limits: configuration.guardrails }),
      exists: (path) => existsSync(resolve(places.workingDirectory, path)),
    },
  };
}

function rulesAt(workingDirectory: string, path: string): readonly TextFile[] {
  const absolute = resolve(workingDirectory, path);
  if (existsSync(absolute) && statSync(absolute).isFile()) return [readText(workingDirectory, path)].filter((file) => file !== undefined);
  return filesIn(workingDirectory, path, (name) => /\.ya?ml$/iu.test(name));
}

function documentsAt(workingDirectory: string, path: string): readonly TextFile[] {
  if (statSync(resolve(workingDirectory, path)).isDirectory()) {
    return filesIn(workingDirectory, path, isRunbookFile);
  }
  return [readText(workingDirectory, path)].filter((file) => file !== undefined);
}

function filesIn(workingDirectory: string, folder: string, wanted: (name: string) => boolean): readonly TextFile[] {
  const absolute = resolve(workingDirectory, folder);
  if (!existsSync(absolute)) return [];
  return namesBelow(absolute)
    .filter((name) => wanted(basename(name)))
    .map((name) => fileOfFolder(workingDirectory, join(folder, name)));
}

/** Paths of all but the folders in a folder and its sub-folders, in order; what begins with a dot is left out. */
function namesBelow(absolute: string): readonly string[] {
  return readdirSync(absolute, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry): readonly string[] => {
      if (isPassedOver(entry.name)) return [];
      if (!entry.isDirectory()) return [entry.name];
      return namesBelow(join(absolute, entry.name)).map((name) => join(entry.name, name));
    });
}

/** What is named like a document and is no file: to open it might take forever, and to pass over it would hide a document that is missed. */
function fileOfFolder(workingDirectory: string, path: string): TextFile {
  const absolute = resolve(workingDirectory, path);
  // Links that lead to each other do not exist either, where statSync would throw.
  const stats = existsSync(absolute) ? statSync(absolute) : undefined;
  const text = stats?.isFile() === true ? readText(workingDirectory, path) : undefined;
  if (text !== undefined) return text;
  const file = shownPath(workingDirectory, path);
  const kind = stats === undefined ? "a link to nothing" : kindOf(stats);
  return {
    file,
    source: "",
    fault: {
      severity: "error",
      rule: "unreadable",
      file,
      position: { line: 1, column: 1 },
      message: `This is ${kind} and no file, so nothing was read.`,
      accepted: "a file, a link to one, or another name",
    },
  };
}

/** One text file, or where its bytes are no text; inside the working directory its path is relative. Undefined when there is none. */
export function readText(workingDirectory: string, path: string): TextFile | undefined {
  const absolute = resolve(workingDirectory, path);
  if (!existsSync(absolute)) return undefined;
  return decodeTextFile(shownPath(workingDirectory, path), readFileSync(absolute));
}

/** Inside the working directory a path is shown as editors do: relative, with slashes. */
function shownPath(workingDirectory: string, path: string): string {
  const absolute = resolve(workingDirectory, path);
  const shown = relative(workingDirectory, absolute);
  return (shown.startsWith("..") ? absolute : shown).split(sep).join("/");
}
