import type { AuditRecord } from "../core/audit.ts";
import type { Page } from "../core/page.ts";

/** The first record of a hash chain that is not what was written there; of a run's journal, else of the audit log. */
export interface BrokenRecord {
  readonly run?: string;
  readonly index: number;
  readonly what: string;
}

/** `runs` and `entries` are how many were recomputed, up to the first broken one. */
export interface AuditVerdict {
  readonly ok: boolean;
  readonly runs: number;
  readonly entries: number;
  readonly broken?: BrokenRecord;
}

/** The record of what people did, and the proof of all records. */
export interface AuditReader {
  /** Newest first; `undefined` means that the cursor is none of ours. */
  list(page: { readonly cursor?: string; readonly limit: number }): Promise<Page<AuditRecord> | undefined>;
  /** The audit log and every run's journal, or one run's; `undefined`: there is no such run. */
  verify(runId?: string): Promise<AuditVerdict | undefined>;
}
