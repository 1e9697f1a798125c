import { budgetCorrectionSchema, correctedUsageSchema } from "../../../packages/sdk/src/wire/budgets.ts";
import type { EventSink } from "../../core/event.ts";
import { operators } from "../../platform/http/roles.ts";
import { defineRoute, json, noQuery, problem, type Route } from "../../platform/http/route.ts";
import type { UsageCounted } from "../usage/usage-ledger.ts";
import type { BudgetLedger } from "./budget-ledger.ts";

/** What people say about costs that could not be known, or that contradict each other. */
export function createCorrectionRoutes({
  ledger,
  publish,
}: {
  readonly ledger: Pick<BudgetLedger, "correct">;
  readonly publish: EventSink<UsageCounted>;
}): readonly Route[] {
  return [
    defineRoute({
      method: "post",
      path: "/api/budgets/{id}/corrections",
      summary: "Set the cost of one usage report, or of a turn that ended without one; it stands from then on",
      allow: operators,
      query: noQuery,
      body: budgetCorrectionSchema,
      success: { status: 200, description: "What is charged now, and by how much that changed", schema: correctedUsageSchema },
      problems: ["not-found"],
      async handle({ params, body, caller }) {
        const budget = params["id"] ?? "";
        const result = await ledger.correct({ ...body, budget, by: caller.name });
        if (result.kind === "unknown_budget")
          return problem("not-found", `There is no budget ${JSON.stringify(budget.slice(0, 60))}; GET /api/budgets lists them.`);
        if (result.kind === "unknown_id") {
          return problem(
            "not-found",
            `Nothing is remembered of usage ${body.usageId} of provider ${body.provider} in budget ${budget}; ids are remembered for RUNBOOKD_USAGE_DAYS.`,
          );
        }
        publish({ kind: "usage_counted", usage: [result.usage] });
        const { event, changeMicroUsd } = result.usage;
        return json({ event, changeMicroUsd });
      },
    }),
  ];
}
