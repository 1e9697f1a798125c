import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { budgetParameter, durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import { shortLine } from "../../../core/one-line.ts";
import type { BudgetControl } from "../budget.ts";
import { isPaused, stateOfWork } from "./gate.ts";
import { type ControlFields, changesOf, plannedChange, plannedOf, readBudget, setPlanned } from "./planned-controls.ts";

/** Closes the admission gate of a budget. The gate is the budget's and not a queue's, because a queue may serve several budgets. */
export const pauseBatches = defineAction({
  name: "pause-batches",
  summary: "Closes admission for every batch of one budget: tickets that run reach their end or their next turn, new ones wait.",
  parameters: z.strictObject({
    budget: budgetParameter(),
    reason: z.string().min(1).meta({ description: "Shown to whoever waits." }),
    for: durationParameter("Opens again by itself after this time; without it the gate stays closed until somebody opens it.").optional(),
  }),
  result: {
    budget: "id of the budget",
    paused: "whether the gate is closed",
    running: "tickets still in flight",
    queued: "tickets that wait",
    paused_until: "when it opens by itself, UTC milliseconds, or null",
    already: "whether somebody had closed it before",
  },
  effect: "set",
  risk: "lowers",
  timeoutMs: 10_000,
  probes: true,
  undoes: false,
  behave(parameters, { budgets }: { readonly budgets: BudgetControl }) {
    const { budget } = parameters;

    async function readOutput(now: number, already: boolean): Promise<ActionOutput> {
      const state = await readBudget(budgets, budget);
      return {
        ...stateOfWork(state, now),
        budget,
        paused_until: state.controls.pausedUntil ?? null,
        already,
      };
    }

    return {
      async plan({ clock, runId }) {
        const state = await readBudget(budgets, budget);
        const now = clock.now();
        const until = parameters.for === undefined ? null : now + millisecondsOf(parameters.for);
        const lasts = !isPaused(state.controls, now) || outlasts(until, state.controls.pausedUntil);
        const after: ControlFields = lasts
          ? { gate: "paused", reason: shortLine(parameters.reason, 200), by: `run:${runId}`, pausedUntil: until }
          : {};
        const planned = plannedChange(state, after);
        return {
          summary: lasts
            ? `Close admission of budget ${budget}`
            : `Admission of budget ${budget} is closed already (${state.controls.reason})`,
          targets: [`budget/${budget}`],
          changes: changesOf(planned),
          reversible: true,
          data: planned,
        };
      },
      async run(plan, { clock }) {
        const planned = plannedOf(plan);
        const already = Object.keys(planned.after).length === 0;
        if (!already) await setPlanned(budgets, planned);
        return { kind: "done", output: await readOutput(clock.now(), already) };
      },
      async probe(plan, { clock }) {
        const output = await readOutput(clock.now(), Object.keys(plannedOf(plan).after).length === 0);
        return output["paused"] === true ? { kind: "applied", output } : { kind: "not_applied" };
      },
    };
  },
});

function outlasts(until: number | null, present: number | undefined): boolean {
  if (present === undefined) return false;
  return until === null || until > present;
}
