import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Diagnostic, Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import type { ActionCatalogue } from "../core/action.ts";
import { parseRunbook, runbookIdOf } from "./parse/parse-runbook.ts";
import { checkRunbookSet, matchTriggers } from "./runbook-set.ts";

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

/** The newest bytes of one file, and what they say. */
interface Newest {
  readonly id: string;
  readonly file: string;
  readonly source: string;
  readonly runbook?: Runbook;
  readonly diagnostics: readonly Diagnostic[];
}

/** Nothing is read before the first `refresh`. */
export function createRunbookFolder(path: string, catalogue: ActionCatalogue): RunbookFolder {
  let documents = new Map<string, FolderDocument>();
  let good: readonly Runbook[] = [];
  /** What was parsed is not parsed again while its bytes stay; a document is the same object then. */
  const parsed = new Map<string, Newest>();

  const read = async (file: string): Promise<Newest> => {
    const full = join(path, file);
    const id = runbookIdOf(file);
    const previous = parsed.get(file);
    try {
      const { size } = await stat(full);
      const source = size > readLimitBytes ? "" : await readFile(full, "utf8");
      if (previous?.source === source && size <= readLimitBytes) return previous;
      const newest = { id, file, source, ...parseRunbook({ file, source, catalogue }) };
      parsed.set(file, newest);
      return newest;
    } catch (error) {
      // A link to nowhere, or a file that has just gone: it must not hold the other documents back.
      return { id, file, source: previous?.source ?? "", diagnostics: [unreadable(file, error)] };
    }
  };

  /** Takes one document after the other: whoever would take an alert of another stays as it was, so that the set in force is never ambiguous. */
  const takeOver = (candidates: readonly Newest[]): readonly FolderDocument[] => {
    const inForce = new Map(candidates.flatMap(({ id }) => documents.get(id)?.runbook ?? []).map((runbook) => [runbook.id, runbook]));
    return candidates
      .map((newest) => {
        const others = [...inForce.values()].filter(({ id }) => id !== newest.id);
        const conflicts = newest.runbook === undefined ? [] : conflictsOf(newest.runbook, others);
        if (newest.runbook !== undefined && conflicts.length === 0) inForce.set(newest.id, newest.runbook);
        return { ...newest, diagnostics: [...newest.diagnostics, ...conflicts] };
      })
      .map(({ runbook: _newest, ...document }) => {
        const runbook = inForce.get(document.id);
        return { ...document, ...(runbook !== undefined && { runbook }) };
      });
  };

  return {
    list: () => [...documents.values()],
    get: (id) => documents.get(id),
    match: (labels) => matchTriggers(good, labels),
    async refresh() {
      const files = (await readdir(path)).filter((file) => file.endsWith(".md") && file !== "README.md").sort();
      const next = takeOver(await Promise.all(files.map(read)));
      const changed = next
        .filter((document) => document.runbook !== undefined && document.runbook !== documents.get(document.id)?.runbook)
        .map(({ id }) => id);
      documents = new Map(next.map((document) => [document.id, document]));
      good = next.flatMap((document) => document.runbook ?? []);
      return { changed, broken: next.filter(isBroken) };
    },
  };
}

/** Whether the newest bytes of a document are not in force. */
export function isBroken({ diagnostics }: Pick<FolderDocument, "diagnostics">): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
}

function unreadable(file: string, error: unknown): Diagnostic {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  return {
    severity: "error",
    rule: "unreadable",
    file,
    position: { line: 1, column: 1 },
    message: `The file cannot be read (${code}).`,
    accepted: "a readable file, or none",
  };
}

/** The conflicts of a document with others, under its own name. */
function conflictsOf(runbook: Runbook, others: readonly Runbook[]): readonly Diagnostic[] {
  return checkRunbookSet([...others, runbook]).filter(({ severity, file }) => severity === "error" && file === runbook.file);
}
