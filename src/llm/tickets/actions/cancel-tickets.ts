import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { budgetParameter } from "../../../actions/parameter-types.ts";
import {
  changesOf,
  type PlannedControls,
  plannedChange,
  plannedOf,
  readBudget,
  setPlanned,
} from "../../budgets/actions/planned-controls.ts";
import type { BudgetControl } from "../../budgets/budget.ts";

/** Stops what runs now, between units of work: aborting inside one wastes the tokens that are already paid. */
export const cancelTickets = defineAction({
  name: "cancel-tickets",
  summary: "Stops every ticket of one budget that runs now at its next turn boundary, with its work saved.",
  parameters: z.strictObject({ budget: budgetParameter() }),
  result: {
    budget: "id of the budget",
    found: "tickets that ran when it was planned",
    stopped: "of these, how many have stopped",
    running: "of the tickets that began before the stop, how many still run",
    tickets: "ids of those that still run, at most 50",
  },
  effect: "set",
  risk: "lowers",
  timeoutMs: 10_000,
  probes: true,
  undoes: false,
  behave({ budget }, { budgets }: { readonly budgets: BudgetControl }) {
    async function readOutput(planned: PlannedControls): Promise<ActionOutput> {
      const stopBefore = planned.after.stopBefore ?? 0;
      const stillRunning = (await budgets.running(budget)).filter((ticket) => ticket.since < stopBefore);
      const runningAtPlan = planned.found ?? stillRunning.length;
      return {
        budget,
        found: runningAtPlan,
        stopped: Math.max(0, runningAtPlan - stillRunning.length),
        running: stillRunning.length,
        tickets: stillRunning.slice(0, 50).map((ticket) => ticket.ticketId),
      };
    }

    return {
      async plan({ clock }) {
        const state = await readBudget(budgets, budget);
        const now = clock.now();
        // The stop is pinned here: a second run of this plan must not stop tickets that began after it.
        const stopBefore = Math.max(now, state.controls.stopBefore ?? 0);
        const runningNow = (await budgets.running(budget)).filter((ticket) => ticket.since < stopBefore).length;
        const planned = { ...plannedChange(state, { stopBefore }), found: runningNow };
        return {
          summary: `Stop ${runningNow} running tickets of budget ${budget} at their next turn`,
          targets: [`budget/${budget}`],
          changes: changesOf(planned),
          reversible: false,
          data: planned,
        };
      },
      async run(plan) {
        const planned = plannedOf(plan);
        const { controls } = await readBudget(budgets, budget);
        // A later stop includes this one.
        if ((controls.stopBefore ?? 0) < (planned.after.stopBefore ?? 0)) await setPlanned(budgets, planned);
        return { kind: "done", output: await readOutput(planned) };
      },
      async probe(plan) {
        const planned = plannedOf(plan);
        const { controls } = await readBudget(budgets, budget);
        if ((controls.stopBefore ?? 0) < (planned.after.stopBefore ?? 0)) return { kind: "not_applied" };
        return { kind: "applied", output: await readOutput(planned) };
      },
    };
  },
});
