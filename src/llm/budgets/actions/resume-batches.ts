import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { budgetParameter } from "../../../actions/parameter-types.ts";
import { shortLine } from "../../../core/one-line.ts";
import type { BudgetControl } from "../budget.ts";
import { isPaused, stateOfWork } from "./gate.ts";
import { changesOf, plannedChange, plannedOf, readBudget, restorePlanned, setPlanned } from "./planned-controls.ts";

/** Opens the admission gate of a budget at once; `resume-with-ramp` is the careful way. */
export const resumeBatches = defineAction({
  name: "resume-batches",
  summary: "Opens admission for every batch of one budget at once; its limits stay as they are.",
  parameters: z.strictObject({
    budget: budgetParameter(),
    reason: z.string().min(1).default("resumed by a runbook").meta({ description: "Kept beside the gate." }),
  }),
  result: {
    budget: "id of the budget",
    paused: "whether the gate is closed",
    running: "tickets in flight",
    queued: "tickets that wait",
  },
  effect: "set",
  risk: "raises",
  timeoutMs: 10_000,
  probes: true,
  undoes: true,
  behave({ budget, reason }, { budgets }: { readonly budgets: BudgetControl }) {
    async function readOutput(now: number): Promise<ActionOutput> {
      return { ...stateOfWork(await readBudget(budgets, budget), now), budget };
    }

    return {
      async plan({ runId, clock }) {
        const state = await readBudget(budgets, budget);
        const closed = isPaused(state.controls, clock.now());
        const planned = plannedChange(
          state,
          closed ? { gate: "open", reason: shortLine(reason, 200), by: `run:${runId}`, pausedUntil: null } : {},
        );
        return {
          summary: closed ? `Open admission of budget ${budget}` : `Admission of budget ${budget} is open already`,
          targets: [`budget/${budget}`],
          changes: changesOf(planned),
          reversible: true,
          data: planned,
        };
      },
      async run(plan, { clock }) {
        const planned = plannedOf(plan);
        if (planned.after.gate !== undefined) await setPlanned(budgets, planned);
        return { kind: "done", output: await readOutput(clock.now()) };
      },
      async probe(_plan, { clock }) {
        const output = await readOutput(clock.now());
        return output["paused"] === false ? { kind: "applied", output } : { kind: "not_applied" };
      },
      async undo(plan) {
        await restorePlanned(budgets, plannedOf(plan));
      },
    };
  },
});
