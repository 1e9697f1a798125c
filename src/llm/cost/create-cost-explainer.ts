import { type CostExplainer, type CostSources, explainCost } from "./explain-cost.ts";

/** Explains cost from the ledger's usage events. Rejects with StoreUnavailable when the ledger cannot be read. */
export function createCostExplainer(sources: CostSources): CostExplainer {
  return { explain: async (question) => explainCost(sources, question) };
}
