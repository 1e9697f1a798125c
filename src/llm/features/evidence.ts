import type { Evidence } from "../../../packages/sdk/src/wire/evidence.ts";
import type { AuditLog } from "../../core/audit.ts";

/** Where evidence is kept. Members reject with StoreUnavailable when the store does not answer. */
export interface EvidenceStore {
  /** Keeps the evidence, unless there is one of its id; answers what is kept. */
  put(evidence: Evidence): Promise<Evidence>;
  /** Undefined: there is none of this id, or its time is over. */
  read(id: string): Promise<Evidence | undefined>;
  /** Records that the audit log has the hash of this evidence. */
  seal(id: string): Promise<void>;
  isSealed(id: string): Promise<boolean>;
  /** Ids, newest first, at most `limit`. */
  list(limit: number): Promise<readonly string[]>;
}

/** Where evidence is kept and sealed. */
export interface EvidencePorts {
  readonly store: EvidenceStore;
  /** Takes the hash of each manifest into its chain. */
  readonly audit: AuditLog;
}
