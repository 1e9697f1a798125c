import { z } from "zod";
import type { BudgetLimits, BudgetState } from "../../../../packages/sdk/src/wire/budgets.ts";
import type { ActionOutput, Change } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { budgetParameter } from "../../../actions/parameter-types.ts";
import type { ActionContext } from "../../../core/action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { formatUsd, oneUsd } from "../../../core/money.ts";
import type { BudgetControl } from "../budget.ts";
import { limitsForPeople } from "./limits-for-people.ts";
import { changesOf, hasFields, limitNames, plannedChange, plannedOf, readBudget, setPlanned } from "./planned-controls.ts";
import { ranBefore } from "./ran-before.ts";

const positive = z.number().positive();
const count = z.number().int().positive();

/** Lowers limits of a budget. It never raises one: a limit that is tighter already stays, and the result says so. */
export const setLimits = defineAction({
  name: "set-limits",
  summary: "Lowers limits of one budget, to numbers or to a share of what ran before; a limit that is tighter already stays.",
  parameters: z.strictObject({
    budget: budgetParameter(),
    concurrency: count.meta({ description: "Tickets in flight at once." }).optional(),
    rate_per_minute: count.meta({ description: "Admissions of new tickets per minute." }).optional(),
    per_ticket_cap_usd: positive.meta({ description: "A ticket that has cost more stops at its next turn." }).optional(),
    max_attempts: count.meta({ description: "Attempts per ticket." }).optional(),
    scale: z
      .number()
      .gt(0)
      .max(1)
      .meta({
        description: "Share of the concurrency that ran before, and of the rate limit when there is one; 1 allows no more than ran.",
      })
      .optional(),
  }),
  result: {
    budget: "id of the budget",
    concurrency: "limit now, or null",
    rate_per_minute: "limit now, or null",
    per_ticket_cap_usd: "limit now, or null",
    per_minute_cap_usd: "limit now, or null",
    max_attempts: "limit now, or null",
    lowered: "names of the limits that were lowered",
    kept: "names of the limits that were tighter already and stayed",
  },
  effect: "set",
  risk: "lowers",
  timeoutMs: 10_000,
  probes: true,
  undoes: false,
  behave(parameters, { budgets }: { readonly budgets: BudgetControl }) {
    const { budget } = parameters;

    function output(limits: BudgetLimits, lowered: readonly string[]): ActionOutput {
      const asked = Object.entries(parameters).flatMap(([name, value]) => (name in parameterNames && value !== undefined ? [name] : []));
      return { ...limitsForPeople(limits), budget, lowered, kept: asked.filter((name) => !lowered.includes(name)) };
    }

    return {
      async plan(context) {
        const state = await readBudget(budgets, budget);
        const asked = askedLimits(parameters, state, context);
        const limits = lowest(state.controls.limits, asked);
        const planned = plannedChange(state, { limits });
        const changes = changesOf(planned);
        return {
          summary:
            changes.length === 0
              ? `The limits of budget ${budget} are as tight already`
              : `Lower limits of budget ${budget}: ${changes.map(describeLimit).join(", ")}`,
          targets: [`budget/${budget}`],
          changes,
          reversible: true,
          data: planned,
        };
      },
      async run(plan) {
        const planned = plannedOf(plan);
        if (plan.changes.length > 0) await setPlanned(budgets, planned);
        const { controls } = await readBudget(budgets, budget);
        return { kind: "done", output: output(controls.limits, loweredBy(plan.changes)) };
      },
      async probe(plan) {
        const planned = plannedOf(plan);
        const { controls } = await readBudget(budgets, budget);
        if (!hasFields(controls, planned.after)) return { kind: "not_applied" };
        return { kind: "applied", output: output(controls.limits, loweredBy(plan.changes)) };
      },
    };
  },
});

const parameterNames: Readonly<Record<string, keyof BudgetLimits>> = {
  concurrency: "concurrency",
  rate_per_minute: "ratePerMinute",
  per_ticket_cap_usd: "perTicketCapMicroUsd",
  max_attempts: "maxAttempts",
};

function describeLimit({ field, after }: Change): string {
  const amount = typeof after === "number" ? (field.endsWith("MicroUsd") ? formatUsd(after) : String(after)) : "none";
  return `${Object.entries(parameterNames).find(([, name]) => name === field)?.[0] ?? field} ${amount}`;
}

function loweredBy(changes: readonly { readonly field: string }[]): readonly string[] {
  return Object.entries(parameterNames).flatMap(([name, field]) => (changes.some((change) => change.field === field) ? [name] : []));
}

interface Asked {
  readonly concurrency?: number | undefined;
  readonly rate_per_minute?: number | undefined;
  readonly per_ticket_cap_usd?: number | undefined;
  readonly max_attempts?: number | undefined;
  readonly scale?: number | undefined;
}

function askedLimits(asked: Asked, state: BudgetState, context: ActionContext): Partial<BudgetLimits> {
  const { scale } = asked;
  const { limits } = state.controls;
  const limited: { -readonly [Name in keyof BudgetLimits]?: number } = {};
  if (scale !== undefined) {
    const ran = ranBefore(state, context.results);
    if (ran === undefined && asked.concurrency === undefined) {
      throw new StepFailure({
        reason: "invalid_parameters",
        message: `"scale" needs something to be a share of: budget ${state.budget.id} has no limit of concurrency, and no earlier take-snapshot of this run saw a running ticket. Name "concurrency" instead.`,
        applied: "no",
      });
    }
    if (ran !== undefined) limited.concurrency = Math.max(1, Math.floor(ran * scale));
    if (limits.ratePerMinute !== null) limited.ratePerMinute = Math.max(1, Math.floor(limits.ratePerMinute * scale));
  }
  if (asked.concurrency !== undefined) limited.concurrency = asked.concurrency;
  if (asked.rate_per_minute !== undefined) limited.ratePerMinute = asked.rate_per_minute;
  if (asked.per_ticket_cap_usd !== undefined) limited.perTicketCapMicroUsd = Math.round(asked.per_ticket_cap_usd * oneUsd);
  if (asked.max_attempts !== undefined) limited.maxAttempts = asked.max_attempts;
  if (Object.keys(limited).length === 0) {
    throw new StepFailure({
      reason: "invalid_parameters",
      message: "Name at least one of concurrency, rate_per_minute, per_ticket_cap_usd, max_attempts and scale.",
      applied: "no",
    });
  }
  return limited;
}

function lowest(present: BudgetLimits, asked: Partial<BudgetLimits>): BudgetLimits {
  const limits = { ...present };
  for (const name of limitNames) {
    const [is, wanted] = [present[name], asked[name] ?? null];
    if (wanted !== null && (is === null || wanted < is)) limits[name] = wanted;
  }
  return limits;
}
