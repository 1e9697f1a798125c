import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { MicroUsd } from "../../core/money.ts";

/** What stands for the cost of a request without a reservation. */
export interface CostEstimate {
  readonly costMicroUsd: MicroUsd;
  readonly basis: "operation_p90" | "setting";
}

/** Events that an estimate looks at. */
export const maxEstimateEvents = 1000;

/** Default of `RUNBOOKD_UNKNOWN_COST_USD`, in micro-USD. */
export const defaultUnknownCostMicroUsd = 50_000;

/** Fewer costs say nothing about the tenth of them that is dearest. */
const minCosts = 10;

/**
 * The 90th percentile (nearest rank) of what recent requests of the operation cost, of those whose cost is known and above 0. With fewer than ten of them it is
 * `unknownCostMicroUsd`. Never 0.
 */
export function estimateCost(
  operation: string,
  recent: readonly UsageEvent[],
  unknownCostMicroUsd: MicroUsd = defaultUnknownCostMicroUsd,
): CostEstimate {
  const costs = recent
    .filter((event) => event.operation === operation && event.estimated === undefined && event.costMicroUsd > 0)
    .map(({ costMicroUsd }) => costMicroUsd)
    .toSorted((a, b) => a - b);
  const p90 = costs[Math.ceil(costs.length * 0.9) - 1];
  if (costs.length < minCosts || p90 === undefined) return { costMicroUsd: Math.max(1, unknownCostMicroUsd), basis: "setting" };
  return { costMicroUsd: p90, basis: "operation_p90" };
}
