import { statSync } from "node:fs";
import type { CommandTemplate } from "../../core/command-template.ts";
import { type Finding, fault, fine, warning } from "../../core/diagnosis.ts";
import { findExecutable, isExecutable } from "../../platform/find-executable.ts";

/** Looks whether registered commands can be started here, and whether they would die with their worker; nothing when none is registered. */
export function examineCommands(templates: readonly CommandTemplate[], path: string): readonly Finding[] {
  if (templates.length === 0) return [];
  const faults = templates.flatMap(({ name, argv, probe, cwd }) => [
    ...[argv[0], probe?.argv[0]].flatMap((file) =>
      file === undefined || isExecutable(file) ? [] : [`${name}: ${file} cannot be executed`],
    ),
    ...(isFolder(cwd) ? [] : [`${name}: ${cwd} is no folder`]),
  ]);
  return [
    ...(faults.length === 0
      ? [fine("Commands", `${templates.length} registered`)]
      : [fault("Commands", faults.join("; "), "Correct argv or cwd under commands in runbookd.yml, or install the program.")]),
    findExecutable(["setpriv"], path) === undefined
      ? warning("setpriv", "not found: a command goes on to its end when its worker is killed", "Install util-linux where workers run.")
      : fine("setpriv", "commands die with their worker"),
  ];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
