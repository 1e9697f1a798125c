import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";

/** What the ledger did with one usage event. `unknown_budget`: nobody defined it; nothing was counted. */
export type UsageRecordResult = "accepted" | "duplicate" | "unknown_budget";

/** Counts usage events against their budgets. */
export interface UsageLedger {
  /** In the order given. An id counts once. */
  record(events: readonly UsageEvent[]): Promise<readonly UsageRecordResult[]>;
}

/** Usage was counted. */
export interface UsageCounted {
  readonly kind: "usage_counted";
  /** Only what was counted for the first time, without duplicates; may be empty. */
  readonly usage: readonly UsageEvent[];
}

/** Why a report was not counted; a metric label. `invalid`: it does not fit the schema. */
export const usageRefusals = ["invalid", "unknown_budget"] as const;

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
