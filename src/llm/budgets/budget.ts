import type { Instant } from "../../core/clock.ts";
import type { MicroUsd } from "../../core/money.ts";

/** What a person defines. */
export interface Budget {
  /** Bounded id, `[a-z0-9-]{1,40}`; a metric label. */
  readonly id: string;
  readonly limitMicroUsd: MicroUsd;
  /** Length of the period in milliseconds (30 d by default; a demo scales it). */
  readonly periodMs: number;
  readonly periodStartsAt: Instant;
  /** 168 hour-of-week weights (Monday 00:00 UTC first) that sum to 1; absent = uniform. */
  readonly profile?: readonly number[];
  /** Length of one profile hour in milliseconds; 3 600 000 unless time is scaled (a demo divides it like every duration). */
  readonly profileHourMs?: number;
}

/** Limits of a budget; null = none. */
export interface BudgetLimits {
  /** Tickets in flight at once. */
  readonly concurrency: number | null;
  /** Admissions of new tickets per minute. */
  readonly ratePerMinute: number | null;
  /** A ticket that has cost more is stopped at its next turn boundary. */
  readonly perTicketCapMicroUsd: MicroUsd | null;
  /** Spend of the whole budget per minute; above it turns wait. */
  readonly perMinuteCapMicroUsd: MicroUsd | null;
  /** Attempts per ticket. */
  readonly maxAttempts: number | null;
}

/**
 * What automation and people may set on a budget: one versioned record, changed by compare-and-set only.
 * A closed gate answers `wait` to new tickets; `stopBefore` answers `stop` to every ticket whose lease began earlier.
 */
export interface BudgetControls {
  readonly version: number;
  readonly gate: "open" | "paused";
  readonly reason: string;
  /** Who closed or opened it, e.g. `run:<id>` or a person. */
  readonly by: string;
  /** A pause that expires by itself, so that a dead runner fails safe. */
  readonly pausedUntil?: Instant;
  readonly stopBefore?: Instant;
  readonly limits: BudgetLimits;
}

/** A budget's ledger and activity at one moment. */
export interface BudgetState {
  readonly budget: Budget;
  readonly controls: BudgetControls;
  readonly spentMicroUsd: MicroUsd;
  /** Reserved by live leases. */
  readonly committedMicroUsd: MicroUsd;
  readonly running: number;
  readonly queued: number;
  readonly allowanceMicroUsdPerSecond: number;
  readonly periodRemainingSeconds: number;
  /** Queues and batches that draw on it. */
  readonly queues: readonly string[];
  readonly batches: readonly string[];
}

/** Fields to set; a field that is absent stays as it is, and null removes an optional one. */
export type ControlsChange = Partial<Omit<BudgetControls, "version" | "pausedUntil" | "stopBefore">> & {
  readonly pausedUntil?: Instant | null;
  readonly stopBefore?: Instant | null;
};

/** Reply to a compare-and-set: the controls as they are now, and whether this call's change (or an equal one) is in them. */
export interface ControlsReply {
  readonly set: boolean;
  readonly controls: BudgetControls;
}

/** A ticket in flight. */
export interface RunningTicket {
  readonly ticketId: string;
  readonly leaseId: string;
  readonly since: Instant;
  readonly turn: number;
}

/** Spend of one (prompt, operation, model) in a window; input of the cost ranking. */
export interface SpendRow {
  readonly prompt: string;
  readonly operation: string;
  readonly provider: string;
  readonly model: string;
  readonly costMicroUsd: MicroUsd;
  readonly requests: number;
  readonly tickets: number;
  readonly attempts: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly unpricedTokens: number;
}

/** What actions may do to budgets. */
export interface BudgetControl {
  read(budget: string): Promise<BudgetState | undefined>;
  /** All ids that exist; "all" is never implied by an empty selector. */
  list(): Promise<readonly string[]>;
  compareAndSet(budget: string, expectedVersion: number, change: ControlsChange): Promise<ControlsReply>;
  running(budget: string): Promise<readonly RunningTicket[]>;
  /** Spend by row over [from, to). */
  spend(budget: string, from: Instant, to: Instant): Promise<readonly SpendRow[]>;
}
