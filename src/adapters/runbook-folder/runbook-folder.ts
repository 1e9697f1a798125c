import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ActionCatalogue } from "../../core/action.ts";
import type { Labels } from "../../core/alert.ts";
import { parseRunbook, runbookIdOf } from "../../runbook/parse-runbook.ts";
import { checkRunbookSet, matchTriggers } from "../../runbook/runbook-set.ts";
import type { Diagnostic, Runbook } from "../../runbook/runbook.ts";

/** One document of the running set, or a file that could not be read into one. */
export interface FolderDocument {
  readonly id: string;
  readonly file: string;
  readonly source: string;
  /** The running version; absent when the file never was good. */
  readonly runbook?: Runbook;
  /** Of the newest bytes seen. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What a look at the folder found. `broken`: files whose newest bytes are not in force. */
export interface FolderChange {
  readonly changed: readonly string[];
  readonly broken: readonly FolderDocument[];
}

/** The running set of a folder. A bad file never replaces a good one; a set in which two documents claim one alert is not taken either. */
export interface RunbookFolder {
  list(): readonly FolderDocument[];
  get(id: string): FolderDocument | undefined;
  match(labels: Labels): Runbook | undefined;
  /** Looks at the folder again. Rejects when the folder cannot be read: then the running set stays. */
  refresh(): Promise<FolderChange>;
}

/** Larger files are refused by the parser; reading stops a little above its limit. */
const readLimitBytes = 300 * 1024;

/** Nothing is read before the first `refresh`. */
export function createRunbookFolder(path: string, catalogue: ActionCatalogue): RunbookFolder {
  let documents = new Map<string, FolderDocument>();
  let good: readonly Runbook[] = [];

  const read = async (file: string): Promise<FolderDocument | undefined> => {
    const full = join(path, file);
    const id = runbookIdOf(file);
    const known = documents.get(id);
    const { size } = await stat(full);
    const source = size > readLimitBytes ? "" : await readFile(full, "utf8");
    if (known?.source === source && size <= readLimitBytes) return known;
    const { runbook, diagnostics } = parseRunbook({ file, source, catalogue });
    const running = runbook ?? known?.runbook;
    return { id, file, source, diagnostics, ...(running !== undefined && { runbook: running }) };
  };

  return {
    list: () => [...documents.values()],
    get: (id) => documents.get(id),
    match: (labels) => matchTriggers(good, labels),
    async refresh() {
      const files = (await readdir(path)).filter((file) => file.endsWith(".md") && file !== "README.md").sort();
      const found = (await Promise.all(files.map(read))).filter((document) => document !== undefined);
      const set = found.flatMap((document) => document.runbook ?? []);
      const conflicts = checkRunbookSet(set).filter((diagnostic) => diagnostic.severity === "error");
      const next = found.map((document) => {
        const own = conflicts.filter((diagnostic) => diagnostic.file === document.file);
        if (own.length === 0) return document;
        // The set stays unambiguous: a document in conflict keeps its last version, or does not run at all.
        const { runbook: _refused, ...rest } = document;
        const before = documents.get(document.id)?.runbook;
        return { ...rest, diagnostics: [...document.diagnostics, ...own], ...(before !== undefined && { runbook: before }) };
      });
      const changed = next
        .filter((document) => document.runbook !== undefined && document.runbook !== documents.get(document.id)?.runbook)
        .map(({ id }) => id);
      documents = new Map(next.map((document) => [document.id, document]));
      good = next.flatMap((document) => document.runbook ?? []);
      return { changed, broken: next.filter(({ diagnostics }) => diagnostics.some(({ severity }) => severity === "error")) };
    },
  };
}
