import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Diagnostic, Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { parseRehearsal } from "../rehearsal/parse-rehearsal.ts";
import type { Rehearsal } from "../rehearsal/rehearsal.ts";
import { readText } from "./read-folder.ts";

/** The rehearsals of one runbook: `rehearsals/<id>/*.yml` beside the document, in the order of their names. */
export function readRehearsals(
  workingDirectory: string,
  runbook: Pick<Runbook, "id" | "file">,
): { readonly rehearsals: readonly Rehearsal[]; readonly diagnostics: readonly Diagnostic[] } {
  const folder = join(dirname(runbook.file), "rehearsals", runbook.id);
  const absolute = resolve(workingDirectory, folder);
  const names = existsSync(absolute) ? readdirSync(absolute).filter((name) => name.endsWith(".yml")) : [];
  const parsed = names.toSorted().flatMap((name) => {
    const text = readText(workingDirectory, join(folder, name));
    if (text?.fault !== undefined) return [{ diagnostics: [text.fault] }];
    return text === undefined ? [] : [parseRehearsal(text)];
  });
  return {
    rehearsals: parsed.flatMap(({ rehearsal }) => rehearsal ?? []),
    diagnostics: parsed.flatMap(({ diagnostics }) => diagnostics),
  };
}

/** How many rehearsals each runbook has, by its id. */
export function countRehearsals(
  workingDirectory: string,
  runbooks: readonly Pick<Runbook, "id" | "file">[],
): { readonly [id: string]: number } {
  return Object.fromEntries(runbooks.map((runbook) => [runbook.id, readRehearsals(workingDirectory, runbook).rehearsals.length]));
}
