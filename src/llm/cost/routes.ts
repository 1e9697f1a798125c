import { z } from "zod";
import { costExplanationSchema } from "../../../packages/sdk/src/wire/costs.ts";
import { budgetIdSchema } from "../../../packages/sdk/src/wire/names.ts";
import { dayMs } from "../../core/duration.ts";
import { instantQuery } from "../../platform/http/instant.ts";
import { viewers } from "../../platform/http/roles.ts";
import { defineRoute, json, noBody, type Route } from "../../platform/http/route.ts";
import { type CostSources, explainCost } from "./explain-cost.ts";

const maxMs = 31 * dayMs;

const question = z
  .strictObject({
    from: instantQuery,
    to: instantQuery,
    /** Without a baseline: the window of the same length directly before. */
    baselineFrom: instantQuery.optional(),
    baselineTo: instantQuery.optional(),
    budget: budgetIdSchema.optional(),
  })
  .refine(({ from, to }) => from < to && to - from <= maxMs, "from is before to, at most 31 days")
  .refine(
    ({ from, baselineFrom, baselineTo }) =>
      baselineFrom === undefined
        ? baselineTo === undefined
        : baselineTo !== undefined && baselineFrom < baselineTo && baselineTo <= from && from - baselineFrom <= maxMs,
    "baselineFrom and baselineTo come together, in order, before from, at most 31 days",
  );

/** Why cost rose. */
export function createCostRoutes(sources: CostSources): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/costs/explanation",
      summary:
        "What changed in cost between two windows: when a rise began, the segment that explains it, the factors of the rise, and what coincides",
      allow: viewers,
      query: question,
      body: noBody,
      success: {
        status: 200,
        description:
          "`kind` is explained, with a `verdict`, or incomplete with a `reason`: usage of the windows is no longer all kept, or too much for one answer; `sentence` says it for people",
        schema: costExplanationSchema,
      },
      handle: async ({ query: { from, to, baselineFrom = from - (to - from), baselineTo = from, budget } }) =>
        json(await explainCost(sources, { from, to, baselineFrom, baselineTo, ...(budget !== undefined && { budget }) })),
    }),
  ];
}
