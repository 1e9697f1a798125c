import type { BudgetControls, BudgetState, RunningTicket, SpendRow } from "../../../packages/sdk/src/wire/budgets.ts";
import type { Instant } from "../../core/clock.ts";

/** Fields to set; a field that is absent stays as it is, and null removes an optional one. */
export type ControlsChange = Partial<Omit<BudgetControls, "version" | "pausedUntil" | "stopBefore">> & {
  readonly pausedUntil?: Instant | null;
  readonly stopBefore?: Instant | null;
};

/** Reply to a compare-and-set: the controls as they are now, and whether this call's change (or an equal one) is in them. */
export interface ControlsChangeResult {
  readonly set: boolean;
  readonly controls: BudgetControls;
}

/** What actions may do to budgets. */
export interface BudgetControl {
  read(budget: string): Promise<BudgetState | undefined>;
  /** All ids that exist; "all" is never implied by an empty selector. */
  list(): Promise<readonly string[]>;
  compareAndSet(budget: string, expectedVersion: number, change: ControlsChange): Promise<ControlsChangeResult>;
  running(budget: string): Promise<readonly RunningTicket[]>;
  /** Spend by row over [from, to). */
  spend(budget: string, from: Instant, to: Instant): Promise<readonly SpendRow[]>;
}
