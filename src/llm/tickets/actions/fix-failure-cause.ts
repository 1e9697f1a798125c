import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { changesOf, plannedChange, plannedOf, readBudget, setPlanned } from "../../budgets/actions/planned-controls.ts";
import type { BudgetControl } from "../../budgets/budget.ts";
import type { FailureClass } from "../failure-class.ts";
import type { RecoveryPorts } from "../recovery-ports.ts";
import { readTicketStatus, ticketsParameter } from "./ticket-status.ts";

/** What is done about each class before its tickets go on; `person`: only people can. */
const mends: { readonly [Class in FailureClass]: { readonly fix: string; readonly person?: true } } = {
  provider_rate_limit: { fix: "half as many tickets of the budget run at once" },
  provider_overload: { fix: "half as many tickets of the budget run at once" },
  provider_spend_limit: { fix: "the provider's limit is for whoever pays; the ticket is not resumed", person: true },
  provider_error: { fix: "nothing of ours; the next try asks again" },
  context_overflow: { fix: "the conversation is shortened before the next call" },
  refusal: { fix: "the model declines it; the ticket is set aside", person: true },
  tool_error: { fix: "the workspace is made anew, with nothing in it that is not in the checkpoint" },
  test_failure: { fix: "the work goes back to where tests passed" },
  git_conflict: { fix: "the work goes back to before the conflict" },
  budget_cut: { fix: "the budget's own incident is handled by cost-incident-response; the ticket is not resumed", person: true },
  cancelled: { fix: "somebody cancelled it; it is not resumed", person: true },
  worker_lost: { fix: "another worker takes it" },
  unknown: { fix: "nothing is known; the next try shows" },
};

/** Mends what made the tickets fail, as far as a machine may: it lowers, shortens and renews, and raises nothing. */
export const fixFailureCause = defineAction({
  name: "fix-failure-cause",
  summary:
    "Does what the failure class of each ticket asks for: lowers the budget's concurrency, or prepares a shorter conversation or a new workspace.",
  parameters: z.strictObject({ tickets: ticketsParameter() }),
  result: {
    fixes: "per ticket its failure class and what is done about it",
    concurrency: "limit of the budget now, when it was lowered, else null",
    needs_person: "tickets that only people can bring on",
  },
  effect: "set",
  risk: "lowers",
  timeoutMs: 60_000,
  probes: true,
  undoes: false,
  behave({ tickets: ids }, { tickets: ports, budgets }: { readonly tickets: RecoveryPorts; readonly budgets: BudgetControl }) {
    const fixes = async (now: number) =>
      Promise.all(
        ids.map(async (id) => {
          const { failure, ticket } = await readTicketStatus(id, now, ports);
          return { ticket: id, budget: ticket.budget, failure_class: failure.failureClass, ...mends[failure.failureClass] };
        }),
      );
    const output = async (now: number, budget: string | undefined): Promise<ActionOutput> => {
      const all = await fixes(now);
      const state = budget === undefined ? undefined : await budgets.read(budget);
      return {
        fixes: all.map(({ ticket, failure_class: failureClass, fix }) => ({ ticket, failure_class: failureClass, fix })),
        concurrency: state?.controls.limits.concurrency ?? null,
        needs_person: all.filter(({ person }) => person === true).length,
      };
    };
    const budgetOf = (data: unknown) => z.object({ budget: z.string() }).safeParse(data).data?.budget;

    return {
      async plan({ clock }) {
        const all = await fixes(clock.now());
        const pressed = all.find(({ failure_class: word }) => word === "provider_rate_limit" || word === "provider_overload");
        const targets = ids.map((id) => `ticket/${id}`);
        const summary = `Fix what made ${ids.join(", ")} fail: ${[...new Set(all.map(({ fix }) => fix))].join("; ")}`.slice(0, 500);
        if (pressed === undefined) return { summary, targets, changes: [], reversible: true, data: null };
        const state = await readBudget(budgets, pressed.budget);
        const { limits } = state.controls;
        const concurrency = Math.max(1, Math.floor((limits.concurrency ?? Math.max(2, state.running)) / 2));
        const planned = plannedChange(state, { limits: { ...limits, concurrency } });
        return { summary, targets: [...targets, `budget/${pressed.budget}`], changes: changesOf(planned), reversible: true, data: planned };
      },
      async run(plan, { clock }) {
        if (plan.changes.length > 0) await setPlanned(budgets, plannedOf(plan));
        return { kind: "done", output: await output(clock.now(), budgetOf(plan.data)) };
      },
      async probe(plan, { clock }) {
        return { kind: "applied", output: await output(clock.now(), budgetOf(plan.data)) };
      },
    };
  },
});
