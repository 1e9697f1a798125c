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
