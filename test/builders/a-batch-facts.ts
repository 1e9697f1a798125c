import { type BatchLimits, batchLimitsSchema } from "../../packages/sdk/src/wire/batches.ts";
import type { BatchFacts } from "../../src/llm/budgets/batch-admission.ts";

/** A batch that is open, has no limits and lets all its tickets begin at once. */
export function aBatchFacts(change: Partial<Omit<BatchFacts, "limits">> & { readonly limits?: Partial<BatchLimits> } = {}): BatchFacts {
  const { limits, ...rest } = change;
  return {
    state: "open",
    gate: "open",
    reason: "",
    spentMicroUsd: 0,
    inFlightMicroUsd: 0,
    reservedMicroUsd: 0,
    running: 0,
    startedThisMinute: 0,
    begun: 0,
    begunEnded: 0,
    succeeded: 0,
    unsuccessful: 0,
    pilotPassed: false,
    ...rest,
    limits: { ...batchLimitsSchema.parse({ pilotTickets: 0 }), ...limits },
  };
}
