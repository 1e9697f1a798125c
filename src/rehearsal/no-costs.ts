import type { CostExplainer } from "../llm/cost/explain-cost.ts";

/** Costs of a world without usage events: no question about them can be answered. */
export const noCosts: CostExplainer = {
  explain: async (question) => ({
    ...question,
    kind: "incomplete",
    reason: "not_kept",
    requests: 0,
    baselineRequests: 0,
    sentence: "There are no usage events.",
  }),
};
