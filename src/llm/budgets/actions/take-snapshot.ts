import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { budgetParameter } from "../../../actions/parameter-types.ts";
import { oneUsd } from "../../../core/money.ts";
import type { BudgetControl } from "../budget.ts";
import { limitsForPeople } from "./limits-for-people.ts";
import { readBudget } from "./planned-controls.ts";

const ticketsListed = 100;

/** Reads a budget with everything that draws on it, so that the report can say what was there before anything was touched. */
export const takeSnapshot = defineAction({
  name: "take-snapshot",
  summary: "Reads a budget, its controls, its queues and its running tickets, and keeps them as the result.",
  parameters: z.strictObject({ budget: budgetParameter() }),
  result: {
    budget: "id of the budget",
    at: "when it was read, UTC milliseconds",
    limit_usd: "limit of the period",
    spent_usd: "spent in this period",
    committed_usd: "reserved by live leases",
    spent_ratio: "(spent + committed) / limit",
    allowance_usd_per_second: "what the plan allows now",
    period_remaining_seconds: "rest of the period",
    gate: "open or paused",
    limits: "concurrency, rate_per_minute, per_ticket_cap_usd, per_minute_cap_usd, max_attempts; null is none",
    running: "tickets in flight",
    queued: "tickets that wait",
    queues: "queues that draw on the budget",
    batches: "batches that draw on the budget",
    tickets: `ids of tickets in flight, at most ${ticketsListed}`,
  },
  effect: "read",
  risk: "none",
  timeoutMs: 10_000,
  probes: false,
  undoes: false,
  behave({ budget }, { budgets }: { readonly budgets: BudgetControl }) {
    return {
      async plan() {
        return { summary: `Read budget ${budget}`, targets: [`budget/${budget}`], changes: [], reversible: true, data: null };
      },
      async run(_plan, context) {
        const state = await readBudget(budgets, budget);
        const tickets = await budgets.running(budget);
        const used = state.spentMicroUsd + state.committedMicroUsd;
        const output: ActionOutput = {
          budget,
          at: context.clock.now(),
          limit_usd: state.budget.limitMicroUsd / oneUsd,
          spent_usd: state.spentMicroUsd / oneUsd,
          committed_usd: state.committedMicroUsd / oneUsd,
          ...(state.budget.limitMicroUsd > 0 && { spent_ratio: used / state.budget.limitMicroUsd }),
          allowance_usd_per_second: state.allowanceMicroUsdPerSecond / oneUsd,
          period_remaining_seconds: state.periodRemainingSeconds,
          gate: state.controls.gate,
          limits: limitsForPeople(state.controls.limits),
          running: state.running,
          queued: state.queued,
          queues: state.queues,
          batches: state.batches,
          tickets: tickets.slice(0, ticketsListed).map((ticket) => ticket.ticketId),
        };
        return { kind: "done", output };
      },
    };
  },
});
