import { type CostSight, type CostSources, explainCost } from "./explain-cost.ts";

/** Explains cost from the ledger's usage events. Rejects with StoreUnavailable when the ledger cannot be read. */
export function createCostSight(sources: CostSources): CostSight {
  return { explain: async (question) => explainCost(sources, question) };
}
