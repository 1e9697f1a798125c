import type { AuditRecord, AuditVerdict } from "../../packages/sdk/src/wire/audit.ts";
import type { Page } from "../core/page.ts";
import type { AuditAnchor } from "./audit-anchor.ts";

/** The record of what people did, and the proof of all records. */
export interface AuditReader {
  /** Newest first; `undefined` means that the cursor is none of ours. */
  list(page: { readonly cursor?: string; readonly limit: number }): Promise<Page<AuditRecord> | undefined>;
  /** The audit log and every run's journal, or one run's; `undefined`: there is no such run. */
  verify(runId?: string): Promise<AuditVerdict | undefined>;
  /** The log's present anchor, when the log continues the known one. */
  anchor(present: AuditAnchor | undefined): Promise<AnchorResult>;
}

/** See {@link AuditReader}. */
export type AnchorResult =
  | { readonly kind: "holds"; readonly anchor: AuditAnchor }
  | { readonly kind: "broken"; readonly index: number; readonly what: string };
