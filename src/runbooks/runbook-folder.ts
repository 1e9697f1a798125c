import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Diagnostic, Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import type { ActionCatalogue } from "../core/action.ts";
import { type Clock, within } from "../core/clock.ts";
import { type RegularFile, readRegularFile } from "../platform/read-regular-file.ts";
import { conflictsBetween } from "./check-runbook-set.ts";
import { maxDocumentBytes, parseRunbook, runbookIdOf } from "./parse/parse-runbook.ts";
import { matchTriggers } from "./runbook-set.ts";
import { decodeTextFile, isPassedOver, isRunbookFile } from "./text-file.ts";
import { createTriggerIndex } from "./trigger-index.ts";

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

/** What is in a folder and its sub-folders. */
export interface FolderListing {
  /** Paths below the folder. */
  readonly names: readonly string[];
  /** Sub-folders that could not be listed, with the reason. */
  readonly unlisted: ReadonlyMap<string, string>;
}

/** The folder as it lies on disk. */
export interface RunbookFiles {
  /** Rejects when the folder itself cannot be listed. */
  list(): Promise<FolderListing>;
  /** See {@link readRegularFile}. */
  read(file: string, previousStamp: string | undefined): Promise<RegularFile>;
}

/** What a folder works with. */
export interface RunbookFolderDeps {
  readonly clock: Pick<Clock, "sleep">;
  /** The disk unless given. */
  readonly files?: RunbookFiles;
  /** The errors of a document that come from another one. */
  readonly compare?: typeof conflictsBetween;
}

/** How long one file may take before the others go on without it. */
const fileMs = 5000;
/** Each file that does not answer occupies one of the four threads that Node.js reads files with, and the others are needed. */
const maxHanging = 2;

/** The newest bytes of one file, and what they say. The same object while they stay. */
interface Newest {
  readonly id: string;
  readonly file: string;
  readonly source: string;
  readonly runbook?: Runbook;
  readonly diagnostics: readonly Diagnostic[];
}

/** What is known of one file. */
interface FileState {
  readonly newest: Newest;
  /** Of the newest bytes; absent when they could not be had. */
  readonly stamp?: string;
  /** A file may change twice within one tick of the file system's clock: a stamp is believed when a second look has found the same bytes under it. */
  readonly confirmed?: boolean;
  /** What was read last; another one than `newest` when that says that it cannot be read now. */
  readonly read?: Newest;
}

/** A document that is not in force, because others would take an alert of it. */
interface Rejected {
  readonly conflicts: readonly Diagnostic[];
  readonly rivals: ReadonlySet<string>;
}

/** Nothing is read before the first `refresh`. A look at an unchanged folder asks for each file's stamp and does nothing else. */
export function createRunbookFolder(path: string, catalogue: ActionCatalogue, deps: RunbookFolderDeps): RunbookFolder {
  const { clock, files = filesOf(path), compare = conflictsBetween } = deps;
  let documents = new Map<string, FolderDocument>();
  let broken: readonly FolderDocument[] = [];
  const inForce = createTriggerIndex();
  const rejected = new Map<string, Rejected>();
  let states: ReadonlyMap<string, FileState> = new Map();
  const hanging = new Set<string>();

  /** Undefined: it does not answer, and the call goes on. */
  const readInTime = async (file: string, previousStamp: string | undefined): Promise<RegularFile | undefined> => {
    if (hanging.has(file)) return undefined;
    const reading = files.read(file, previousStamp);
    if (hanging.size >= maxHanging) return reading;
    try {
      return await within(clock, fileMs, reading);
    } catch {
      hanging.add(file);
      void reading.finally(() => hanging.delete(file));
      return undefined;
    }
  };

  const inspect = async (file: string): Promise<FileState> => {
    const before = states.get(file);
    const result = await readInTime(file, before?.confirmed === true ? before.stamp : undefined);
    if (before !== undefined && result?.kind === "unchanged") return before;
    const last = before?.read;
    /** No document: the last one that was read stays. */
    const refused = (fault: Diagnostic, seen: Pick<FileState, "stamp" | "confirmed">): FileState => {
      const isSame = before !== undefined && before.newest !== last && isDeepStrictEqual(before.newest.diagnostics, [fault]);
      const newest = isSame ? before.newest : { id: runbookIdOf(file), file, source: last?.source ?? "", diagnostics: [fault] };
      return { newest, ...(last !== undefined && { read: last }), ...seen };
    };
    if (result?.kind !== "read")
      return refused(unreadable(file, result?.kind === "refused" ? result.reason : `no answer within ${fileMs / 1000} s`), {});
    const { stamp } = result;
    const confirmed = before?.stamp === stamp;
    const { source, fault } = decodeTextFile(file, result.bytes);
    if (fault !== undefined) return refused(fault, { stamp, confirmed });
    if (last?.source === source) return { newest: last, read: last, stamp, confirmed };
    const newest = { id: runbookIdOf(file), file, source, ...parseRunbook({ file, source, catalogue }) };
    return { newest, read: newest, stamp };
  };

  /** A second file of one name, in another sub-folder: it is no runbook, and the first one stays. The same object while that lasts. */
  const repeatedOf = (file: string, first: string): Newest => {
    const last = states.get(file)?.newest;
    const message = `${first} has the id \`${runbookIdOf(file)}\` too.`;
    if (last?.diagnostics[0]?.message === message) return last;
    const position = { line: 1, column: 1 };
    const accepted = "a file name of its own";
    return {
      id: file,
      file,
      source: "",
      diagnostics: [{ severity: "error", rule: "repeated-runbook", file, position, message, accepted }],
    };
  };

  /** A sub-folder that cannot be listed. The same object while that lasts. */
  const unlistedOf = (folder: string, reason: string): Newest => {
    const last = states.get(folder)?.newest;
    const fault = unlistable(folder, reason);
    return last?.diagnostics[0]?.message === fault.message ? last : { id: folder, file: folder, source: "", diagnostics: [fault] };
  };

  /** One file after the other: a folder that does not answer then occupies one thread. */
  const scan = async (): Promise<{
    readonly names: readonly string[];
    readonly dirty: readonly Newest[];
    readonly gone: readonly string[];
  }> => {
    const listing = await files.list();
    const found = listing.names.filter(isRunbookFile).toSorted();
    const result = new Map<string, FileState>();
    const firstOf = new Map<string, string>();
    // What was in a sub-folder that cannot be listed stays as it was: nothing says that it is gone.
    for (const [file, state] of states) {
      if (![...listing.unlisted.keys()].some((folder) => file.startsWith(join(folder, "/")))) continue;
      result.set(file, state);
      firstOf.set(state.newest.id, file);
    }
    const names = [...result.keys(), ...listing.unlisted.keys(), ...found].toSorted();
    for (const [folder, reason] of listing.unlisted) result.set(folder, { newest: unlistedOf(folder, reason) });
    for (const file of found) {
      const first = firstOf.get(runbookIdOf(file));
      result.set(file, first === undefined ? await inspect(file) : { newest: repeatedOf(file, first) });
      if (first === undefined) firstOf.set(runbookIdOf(file), file);
    }
    const dirty = [...result].filter(([file, { newest }]) => newest !== states.get(file)?.newest).map(([, { newest }]) => newest);
    const ids = new Set([...result.values()].map(({ newest }) => newest.id));
    const gone = [...states.values()].map(({ newest }) => newest.id).filter((id) => !ids.has(id));
    states = result;
    return { names, dirty, gone };
  };

  /** Whether the document is in force now, and was not before. One that would take an alert of another stays as it was. */
  const tryToTake = ({ id, runbook }: Newest): boolean => {
    rejected.delete(id);
    if (runbook === undefined || inForce.get(id) === runbook) return false;
    const result = inForce
      .rivalsOf(runbook)
      .filter((other) => other.id !== id)
      .map((other) => ({ id: other.id, conflicts: compare(runbook, other) }))
      .filter(({ conflicts }) => conflicts.length > 0);
    if (result.length === 0) {
      inForce.add(runbook);
      return true;
    }
    rejected.set(id, { conflicts: result.flatMap(({ conflicts }) => conflicts), rivals: new Set(result.map((rival) => rival.id)) });
    return false;
  };

  /** Compares what has changed, then what waited for a document that has changed or is gone, until nothing more can be taken. */
  const takeOver = (dirty: readonly Newest[], gone: readonly string[]): void => {
    let moved = new Set(gone);
    for (const id of gone) {
      inForce.remove(id);
      rejected.delete(id);
    }
    for (let next = dirty; ; ) {
      for (const newest of next) if (tryToTake(newest)) moved.add(newest.id);
      const waiting = new Set([...rejected].filter(([, { rivals }]) => [...rivals].some((id) => moved.has(id))).map(([id]) => id));
      if (waiting.size === 0) return;
      moved = new Set();
      next = [...states.values()].map(({ newest }) => newest).filter(({ id }) => waiting.has(id));
    }
  };

  return {
    list: () => [...documents.values()],
    get: (id) => documents.get(id),
    match: (labels) => matchTriggers(inForce.startedBy(labels["alertname"] ?? ""), labels),
    async refresh() {
      const { names, dirty, gone } = await scan();
      if (dirty.length === 0 && gone.length === 0) return { changed: [], broken };
      takeOver(dirty, gone);
      const next = names
        .flatMap((file) => states.get(file)?.newest ?? [])
        .map(({ runbook: _newest, ...document }): FolderDocument => {
          const runbook = inForce.get(document.id);
          const conflicts = rejected.get(document.id)?.conflicts ?? [];
          return { ...document, diagnostics: [...document.diagnostics, ...conflicts], ...(runbook !== undefined && { runbook }) };
        });
      const changed = next.filter(({ id, runbook }) => runbook !== undefined && runbook !== documents.get(id)?.runbook).map(({ id }) => id);
      documents = new Map(next.map((document) => [document.id, document]));
      broken = next.filter(isBroken);
      return { changed, broken };
    },
  };
}

function filesOf(path: string): RunbookFiles {
  return {
    async list() {
      const unlisted = new Map<string, string>();
      return { names: await namesBelow(path, unlisted), unlisted };
    },
    read: async (file, previousStamp) => readRegularFile(join(path, file), { maxBytes: maxDocumentBytes, previousStamp }),
  };
}

/** Paths of what is in a folder and its sub-folders. What is passed over is left out, and links to folders are not followed. */
async function namesBelow(path: string, unlisted: Map<string, string>): Promise<readonly string[]> {
  const names: string[] = [];
  const pending = [""];
  for (let folder = pending.shift(); folder !== undefined; folder = pending.shift()) {
    const entries = await readdir(join(path, folder), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (folder === "") throw error;
      // A sub-folder that was removed between both looks is gone, and not unreadable.
      if (error.code !== "ENOENT") unlisted.set(folder, error.code ?? error.message);
      return [];
    });
    for (const entry of entries) {
      if (isPassedOver(entry.name)) continue;
      if (!entry.isDirectory() || entry.name.endsWith(".md")) names.push(join(folder, entry.name));
      else pending.push(join(folder, entry.name));
    }
  }
  return names;
}

/** Whether the newest bytes of a document are not in force. */
export function isBroken({ diagnostics }: Pick<FolderDocument, "diagnostics">): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
}

function unlistable(folder: string, reason: string): Diagnostic {
  return {
    severity: "error",
    rule: "unreadable",
    file: folder,
    position: { line: 1, column: 1 },
    message: `The folder cannot be listed (${reason}); its runbooks stay as they were.`,
    accepted: "a folder that this process may list",
  };
}

function unreadable(file: string, reason: string): Diagnostic {
  return {
    severity: "error",
    rule: "unreadable",
    file,
    position: { line: 1, column: 1 },
    message: `The file cannot be read (${reason}).`,
    accepted: `a readable file of at most ${maxDocumentBytes / 1024} KiB, or none`,
  };
}
