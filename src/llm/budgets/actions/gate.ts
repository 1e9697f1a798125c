import type { BudgetControls, BudgetState } from "../../../../packages/sdk/src/wire/budgets.ts";

/** Whether the gate refuses new tickets at `now`: a pause with an end opens by itself. */
export function isPaused(controls: BudgetControls, now: number): boolean {
  return controls.gate === "paused" && (controls.pausedUntil === undefined || controls.pausedUntil > now);
}

/** What every action on the gate reports, read back from the target. */
export function stateOfWork(
  state: BudgetState,
  now: number,
): { readonly paused: boolean; readonly running: number; readonly queued: number } {
  return { paused: isPaused(state.controls, now), running: state.running, queued: state.queued };
}
