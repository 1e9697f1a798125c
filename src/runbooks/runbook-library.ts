import type { Diagnostic, Runbook } from "./runbook.ts";

/** One document of the running set, or a file that could not be read into one. */
export interface RunbookDocument {
  readonly id: string;
  readonly file: string;
  /** The bytes of the running version; of the broken file when there never was a good one. */
  readonly source: string;
  /** The running version. Absent when the file never was good. */
  readonly runbook?: Runbook;
  /** Of the newest bytes seen: with an error here the running version is an older one. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The running set. */
export interface RunbookLibrary {
  list(): readonly RunbookDocument[];
  get(id: string): RunbookDocument | undefined;
}
