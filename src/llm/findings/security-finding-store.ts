import type {
  FindingEvent,
  ReportedSecurityFinding,
  SecurityFinding,
  SeverityClass,
  SeverityVerdict,
  SourceStatus,
} from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Page } from "../../core/page.ts";

export type { SourceStatus } from "../../../packages/sdk/src/wire/security-findings.ts";

/** A report whose feature is decided. */
export type PlacedSecurityFinding = ReportedSecurityFinding & { readonly feature: string };

/**
 * What became of one report, and the finding as it is kept now. `older`: a newer report of the same finding was there, and stays. `unchanged`: only the time
 * of the report is new. Of two different reports with one time the later one is kept (`updated`): a list of what holds now is read after the events that it
 * corrects. `full`: {@link maxOpenFindings} are open, and one more was not kept.
 */
export type FindingReportResult =
  | { readonly kind: "created" | "updated" | "unchanged" | "older"; readonly finding: SecurityFinding }
  | { readonly kind: "full" };

/** What findings are asked for; absent members do not restrict. */
export interface SecurityFindingFilter {
  readonly feature?: string;
  readonly state?: SecurityFinding["state"];
  readonly source?: string;
}

/** Open findings that count together; see `countedClassOf`. */
export interface OpenFindingCount {
  readonly class: SeverityClass;
  readonly feature: string;
  readonly source: string;
  readonly count: number;
}

/** An open finding of class critical or high, as the index of open findings describes it. */
export interface SeriousFinding {
  readonly id: string;
  /** See `countedClassOf`. */
  readonly class: SeverityClass;
  readonly feature: string;
  readonly source: string;
  /** Whether it calls for switching its feature off; see `callsForContainment`. */
  readonly contain: boolean;
}

/** Serious findings that are listed one by one. */
export const maxSeriousFindings = 500;

/** Findings that may be open at once. */
export const maxOpenFindings = 100_000;

/** Ended findings that are kept; the ones that ended first are dropped before their time. */
export const maxEndedFindings = 50_000;

/** Events that are kept of one finding, the newest. */
export const maxFindingEvents = 50;

/** Sources whose status is kept; that of further ones is not. */
export const maxFindingSources = 100;

/** Time for which the id of a delivery is kept: GitHub offers a delivery again for three days. */
export const deliveryRetentionMs = 4 * 86_400_000;

/** Where security findings are kept. Every member is atomic and rejects with StoreUnavailable when the store does not answer. */
export interface SecurityFindingStore {
  /**
   * Idempotent by source and ref; an older `updatedAt` never overwrites a newer one. The feature is decided before. A change of anything but the time drops
   * the verdict, until the finding is judged again.
   */
  report(finding: PlacedSecurityFinding): Promise<FindingReportResult>;
  read(id: string): Promise<SecurityFinding | undefined>;
  /** By id, at most `max` of them. Where more match, the gravest open ones come first, then those that ended last. */
  list(filter: SecurityFindingFilter, max: number): Promise<readonly SecurityFinding[]>;
  /**
   * Open ones first, the gravest and newest first, then ended ones, the last first. A page may be short although more follow. undefined: the cursor is not
   * one that was given out.
   */
  page(
    filter: SecurityFindingFilter,
    request: { readonly cursor?: string; readonly limit: number },
  ): Promise<Page<SecurityFinding> | undefined>;
  /** Writes the verdict, unless the finding has changed since `finding` was read; false: it has or is gone, and nothing was written. */
  judge(judged: { readonly finding: SecurityFinding; readonly verdict: SeverityVerdict; readonly runId?: string }): Promise<boolean>;
  /** What happened to a finding, oldest first, at most {@link maxFindingEvents}; empty when there is no such finding. */
  events(id: string): Promise<readonly FindingEvent[]>;
  /** Counts of at least one, in no order. Costs one command, whatever the number of findings. */
  openCounts(): Promise<readonly OpenFindingCount[]>;
  /** The gravest and newest first, at most {@link maxSeriousFindings}. Costs one command, whatever the number of findings. */
  openSerious(): Promise<readonly SeriousFinding[]>;
  /** By source. */
  sources(): Promise<readonly SourceStatus[]>;
  recordSource(status: SourceStatus): Promise<void>;
  /** Deletes some of the ended findings whose retention is over or that are too many; answers how many. */
  prune(): Promise<number>;
}

/**
 * Ids of deliveries that were handled, for {@link deliveryRetentionMs}. Handling is idempotent, so that a delivery is recorded after it: one that fails half
 * way is handled again. Members reject with StoreUnavailable when the store does not answer.
 */
export interface DeliveryLog {
  /** Whether a delivery of this id was recorded. */
  has(id: string): Promise<boolean>;
  record(id: string): Promise<void>;
}
