import type { AuditRecord, AuditVerdict } from "../../packages/sdk/src/wire/audit.ts";
import type { Page } from "../core/page.ts";

/** The record of what people did, and the proof of all records. */
export interface AuditReader {
  /** Newest first; `undefined` means that the cursor is none of ours. */
  list(page: { readonly cursor?: string; readonly limit: number }): Promise<Page<AuditRecord> | undefined>;
  /** The audit log and every run's journal, or one run's; `undefined`: there is no such run. */
  verify(runId?: string): Promise<AuditVerdict | undefined>;
}
