import type { ReportedSecurityFinding, SecurityFinding, SeverityVerdict } from "../../../packages/sdk/src/wire/security-findings.ts";

/** What became of one report. `older`: a newer report of the same finding was there, and stays. */
export type FindingReportResult = { readonly kind: "created" | "updated" | "unchanged" | "older"; readonly finding: SecurityFinding };

/** Whether a source can be read. A source that cannot be read is never one without findings. */
export interface SourceStatus {
  readonly source: string;
  readonly up: boolean;
  /** Why not, without secrets. */
  readonly reason?: string;
  /** When it was read successfully last; absent: never. */
  readonly seenAt?: number;
}

/** What findings are asked for; absent members do not restrict. */
export interface SecurityFindingFilter {
  readonly feature?: string;
  readonly state?: SecurityFinding["state"];
  readonly source?: string;
}

/** Where security findings are kept. Every member is atomic and rejects with StoreUnavailable when the store does not answer. */
export interface SecurityFindingStore {
  /** Idempotent by source and ref; an older `updatedAt` never overwrites a newer one. The feature is decided before. */
  report(finding: ReportedSecurityFinding & { readonly feature: string }): Promise<FindingReportResult>;
  read(id: string): Promise<SecurityFinding | undefined>;
  /** By id, at most `max` of them. */
  list(filter: SecurityFindingFilter, max: number): Promise<readonly SecurityFinding[]>;
  /** Writes the verdict, unless the finding has changed since `updatedAt`; false: it has, and nothing was written. */
  judge(judged: {
    readonly id: string;
    readonly updatedAt: number;
    readonly verdict: SeverityVerdict;
    readonly runId?: string;
  }): Promise<boolean>;
  sources(): Promise<readonly SourceStatus[]>;
  recordSource(status: SourceStatus): Promise<void>;
}
