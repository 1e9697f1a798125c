import type { AdmissionGate, AdmissionLogEntry, ReleaseInput } from "../../../packages/sdk/src/wire/admissions.ts";
import type { Budget, BudgetState } from "../../../packages/sdk/src/wire/budgets.ts";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import type { MicroUsd } from "../../core/money.ts";
import type { CountedUsage, UsageLedger } from "../usage/usage-ledger.ts";
import type { BudgetControl } from "./budget.ts";

/** A ticket that has just ended, for metrics. */
export interface FinishedTicket {
  readonly ticketId: string;
  readonly budget: string;
  readonly queue: string;
  readonly outcome: NonNullable<ReleaseInput["outcome"]>;
  readonly variant: string;
  readonly failureClass?: string;
  readonly costMicroUsd: MicroUsd;
  readonly durationMs: number;
  readonly attempts: number;
}

/** Lengths that a demo divides by its factor. */
export interface BudgetTimes {
  /** A lease that is neither renewed nor used for so long ends; its reservation is charged when nothing was reported. */
  readonly leaseMs: number;
  /** What "per minute" means. */
  readonly minuteMs: number;
  /** Width of one row of the spend history. */
  readonly bucketMs: number;
  /** How long rows are kept. */
  readonly retentionMs: number;
}

/** Real time. */
export const realTimes: BudgetTimes = { leaseMs: 120_000, minuteMs: 60_000, bucketMs: 60_000, retentionMs: 9 * dayMs };

/** Real time divided by a demo's factor, in whole milliseconds. */
export function dividedTimes(factor: number): BudgetTimes {
  const divide = (ms: number) => Math.max(1, Math.round(ms / factor));
  return {
    leaseMs: divide(realTimes.leaseMs),
    minuteMs: divide(realTimes.minuteMs),
    bucketMs: divide(realTimes.bucketMs),
    retentionMs: divide(realTimes.retentionMs),
  };
}

/** Entries that the admission log keeps. */
export const logLength = 20_000;

/** A ticket's spend is kept this long after its last change, in ms. */
export const ticketMs = 30 * dayMs;

/** Tickets of one kind whose cost is kept for estimates. */
export const historyLength = 500;

/** For how long usage events are kept, and in how many bytes of Redis, about: what is reached first. */
export interface UsageRetention {
  readonly retentionMs: number;
  readonly maxBytes: number;
}

/** Unless settings say otherwise. */
export const defaultUsageRetention: UsageRetention = { retentionMs: 35 * dayMs, maxBytes: 64 * 1024 * 1024 };

/** How much is kept of a window. */
export interface KeptUsage {
  readonly count: number;
  /** False when events of the window were dropped, because they were too old or too many. */
  readonly complete: boolean;
}

/** Budgets that may exist unless a setting says otherwise. */
export const defaultMaxBudgets = 2000;

/** `full`: the budget would be a new one, and `max` exist. */
export type DefineResult = { readonly kind: "defined" } | { readonly kind: "full"; readonly max: number };

/** What metrics show of a budget. Reservations of leases that have just expired may still be in it. */
export type BudgetSummary = Omit<BudgetState, "running" | "queued" | "batches">;

/** What a person says a report cost. */
export interface CostCorrection {
  readonly budget: string;
  readonly provider: string;
  /** Of the report, or of a turn that ended without one. */
  readonly usageId: string;
  readonly costMicroUsd: MicroUsd;
  readonly by: string;
  readonly reason: string;
}

/** What became of a correction. `unknown_id`: nothing is remembered of the id. */
export type CorrectionOutcome =
  | { readonly kind: "corrected"; readonly usage: CountedUsage }
  | { readonly kind: "unknown_budget" }
  | { readonly kind: "unknown_id" };

/** Money: defined, reserved, settled, released. Every member is atomic. */
export interface BudgetLedger extends BudgetControl, AdmissionGate, UsageLedger {
  /** Creates a budget, or redefines its limit, period and profile; controls and spend stay. A new one beyond the maximum is refused. */
  define(budget: Budget): Promise<DefineResult>;
  /** All budgets by id, for metrics. The number of commands does not grow with that of the budgets. */
  summaries(): Promise<readonly BudgetSummary[]>;
  /** All budgets by id, as {@link BudgetControl.read} answers them. The number of commands that are sent grows by one for 250 budgets. */
  states(): Promise<readonly BudgetState[]>;
  /** Ends expired leases of budgets that nothing has touched since, of at most 50 budgets a call. */
  endExpiredLeases(): Promise<void>;
  /** Sets the cost of one report. It stands from then on, whatever is reported under the id. */
  correct(correction: CostCorrection): Promise<CorrectionOutcome>;
  /** Writes turns that ended without a report into the history; at most 1000 of them. Their money was charged when they ended. */
  recordUnreported(): Promise<readonly CountedUsage[]>;
  /** Answers the ticket when this call was the first that ended it. */
  finish(release: ReleaseInput): Promise<FinishedTicket | undefined>;
  /** Marks a ticket: the gate stops it at its next turn boundary. */
  cancelTicket(budget: string, ticketId: string): Promise<void>;
  /** The newest `limit` entries, oldest first. */
  admissions(limit: number): Promise<readonly AdmissionLogEntry[]>;
  /** Of the newest `limit` usage events, by the time at which their requests ended, those that no later one replaces; newest first. */
  recentUsage(limit: number): Promise<readonly UsageEvent[]>;
  /** How many events are kept of [from, to), without reading them; those that later ones replace are counted too. */
  usageKept(from: Instant, to: Instant): Promise<KeptUsage>;
  /** All events that are kept of [from, to), one for each id, earliest first, a few thousand at a time. Nothing outside the window is read. */
  usagePages(from: Instant, to: Instant): AsyncIterable<readonly UsageEvent[]>;
}

/** What the ledger needs to know about tickets that it does not hold itself. */
export interface QueueCounts {
  /** Of each budget, in order: tickets that have not ended and are not in flight, and where they are. */
  countsOf(
    budgets: readonly string[],
  ): Promise<readonly { readonly queued: number; readonly queues: readonly string[]; readonly batches: readonly string[] }[]>;
}
