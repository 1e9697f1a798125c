import type { TokenPartition, UsageConflict, UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { MicroUsd } from "../../core/money.ts";

/** Nobody defined the budget; nothing was counted. */
export interface UnknownBudget {
  readonly kind: "unknown_budget";
}

/** What the ledger did with a report of a budget that is defined. */
export interface CountedUsage {
  /**
   * `accepted`: the first of its id. `completed`: it says more than the report before. `duplicate`: it says the same, and nothing was done. `conflict`: it
   * contradicts the report before, and the higher cost stands.
   */
  readonly kind: "accepted" | "completed" | "duplicate" | "conflict";
  /** The event with what is charged under its id now. */
  readonly event: UsageEvent;
  /** What was charged more, or less than 0 where an estimate was replaced by a lower cost. */
  readonly changeMicroUsd: MicroUsd;
  /** The part of the change that is an estimate. */
  readonly estimatedChangeMicroUsd: MicroUsd;
  /** Tokens that were not counted under the id before. */
  readonly added: TokenPartition;
  /** Of a conflict. */
  readonly conflict?: UsageConflict;
  /** What differs, for people. */
  readonly detail?: string;
}

/** What the ledger did with one usage event. */
export type UsageOutcome = CountedUsage | UnknownBudget;

/** Counts usage events against their budgets. */
export interface UsageLedger {
  /** In the order given. A report is identified by its provider, budget and id. */
  record(events: readonly UsageEvent[]): Promise<readonly UsageOutcome[]>;
}

/** Reports were compared with the ledger. */
export interface UsageCounted {
  readonly kind: "usage_counted";
  /** Duplicates and conflicts too; may be empty. */
  readonly usage: readonly CountedUsage[];
}

/** Why a report was not counted; a metric label. `invalid`: it does not fit the schema. `too_old`: ids are not remembered for so long. */
export const usageRefusals = ["invalid", "unknown_budget", "too_old"] as const;

/** One report that was not counted. */
export interface RefusedUsage {
  /** Its place in the request, from 0. */
  readonly index: number;
  /** What it gives as its id; "" when that is no text. */
  readonly id: string;
  readonly reason: (typeof usageRefusals)[number];
  /** What is wrong with it, and where. */
  readonly issues: readonly string[];
}

/** Reports of one request were refused; the others were counted. */
export interface UsageRefused {
  readonly kind: "usage_refused";
  /** At least one. */
  readonly reports: readonly RefusedUsage[];
}
