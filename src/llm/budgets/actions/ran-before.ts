import { z } from "zod";
import type { BudgetState } from "../../../../packages/sdk/src/wire/budgets.ts";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";

// The limits tell a snapshot from other results that count running tickets.
const snapshotSchema = z.object({ budget: z.string(), limits: z.object({}), running: z.number() });

/**
 * How many tickets of a budget ran at once before anybody stopped them: the limit of concurrency if there is one,
 * else what an earlier `take-snapshot` of this run saw, else what runs now. Undefined when none of these is a positive number.
 */
export function ranBefore(state: BudgetState, results: { readonly [stepId: string]: Json }): number | undefined {
  if (state.controls.limits.concurrency !== null) return state.controls.limits.concurrency;
  const earlierRunning = Object.values(results).flatMap((result) => snapshotRunning(result, state.budget.id));
  const maxRunning = Math.max(0, state.running, ...earlierRunning);
  return maxRunning > 0 ? maxRunning : undefined;
}

function snapshotRunning(result: Json, budget: string): readonly number[] {
  const snapshot = snapshotSchema.safeParse(result);
  return snapshot.success && snapshot.data.budget === budget ? [snapshot.data.running] : [];
}
