import type { WorkloadLedger } from "../workload/ledger.ts";
import type { PriceTable } from "../workload/price-table.ts";
import { explainCost } from "./explain-cost.ts";
import type { CostSight } from "./ports.ts";

/** Explains cost from the ledger's usage events. Rejects with StoreUnavailable when the ledger cannot be read. */
export function createCostSight(deps: { readonly ledger: Pick<WorkloadLedger, "usageBetween">; readonly prices: PriceTable }): CostSight {
  return { explain: async (question) => explainCost(deps, question) };
}
