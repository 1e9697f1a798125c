import { z } from "zod";
import {
  type Budget,
  type BudgetLimits,
  budgetChangeSchema,
  budgetDefinitionSchema,
  budgetStateSchema,
  budgetViewSchema,
  spendRowSchema,
} from "../../../packages/sdk/src/wire/budgets.ts";
import { budgetIdSchema } from "../../../packages/sdk/src/wire/names.ts";
import { listSchema } from "../../../packages/sdk/src/wire/page.ts";
import type { Shape } from "../../../packages/sdk/src/wire/shape.ts";
import type { Clock } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import { operators, viewers } from "../../platform/http/roles.ts";
import { defineRoute, type HandlerResponse, json, noBody, noQuery, problem, type Refusal, type Route } from "../../platform/http/route.ts";
import type { ControlsChange } from "./budget.ts";
import type { BudgetLedger } from "./budget-ledger.ts";

/** At most a year of rows, and only in order. */
const window = z
  .strictObject({ from: z.coerce.number().int().min(0), to: z.coerce.number().int().min(0) })
  .refine(({ from, to }) => from < to && to - from <= 366 * dayMs, "from is before to, at most 366 days");

/** Budgets: what they are, what is left, and what people set on them. */
export function createBudgetRoutes({ ledger, clock }: { readonly ledger: BudgetLedger; readonly clock: Clock }): readonly Route[] {
  const one = async (id: string): Promise<HandlerResponse<Shape<typeof budgetViewSchema>>> => {
    const state = await ledger.read(id);
    return state === undefined ? noBudget(id) : json({ ...state, inFlight: await ledger.running(id) });
  };
  return [
    defineRoute({
      method: "get",
      path: "/api/budgets",
      summary: "All budgets with their ledgers",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "`items` are budgets, by id", schema: listSchema(budgetStateSchema) },
      handle: async () => json({ items: [...(await ledger.states())] }),
    }),
    defineRoute({
      method: "get",
      path: "/api/budgets/{id}",
      summary: "One budget with its ledger, controls and tickets in flight",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The budget", schema: budgetViewSchema },
      problems: ["not-found"],
      handle: async ({ params }) => one(params["id"] ?? ""),
    }),
    defineRoute({
      method: "put",
      path: "/api/budgets/{id}",
      summary: "Define a budget, or its limit, period and profile anew; spend and controls stay",
      allow: operators,
      query: noQuery,
      body: budgetDefinitionSchema,
      success: { status: 200, description: "The budget as it is now", schema: budgetViewSchema },
      problems: ["too-many-budgets"],
      async handle({ params, body }) {
        const id = budgetIdSchema.safeParse(params["id"]);
        if (!id.success) return problem("invalid-request", "The budget's id is not accepted; it takes 1 to 40 letters a-z, digits and -.");
        const { profile, profileHourMs, periodStartsAt, ...definition } = body;
        const existing = await ledger.read(id.data);
        const startsAt = periodStartsAt ?? existing?.budget.periodStartsAt ?? Math.floor(clock.now() / dayMs) * dayMs;
        const budget: Budget = {
          ...definition,
          id: id.data,
          periodStartsAt: startsAt,
          ...(profile === undefined ? {} : { profile }),
          ...(profileHourMs === undefined ? {} : { profileHourMs }),
        };
        const result = await ledger.define(budget);
        if (result.kind === "full") return tooMany(id.data, result.max);
        return one(id.data);
      },
    }),
    defineRoute({
      method: "patch",
      path: "/api/budgets/{id}",
      summary: "Open or close the gate, stop tickets in flight, set limits",
      allow: operators,
      query: noQuery,
      body: budgetChangeSchema,
      success: { status: 200, description: "The budget as it is now", schema: budgetViewSchema },
      problems: ["not-found", "conflict"],
      async handle({ params, body, caller }) {
        const id = params["id"] ?? "";
        // A person's word holds over automation's: without a version, a change that lost a race is made again on what came.
        for (let attempt = 0; attempt < 5; attempt += 1) {
          const state = await ledger.read(id);
          if (state === undefined) return noBudget(id);
          const limits: BudgetLimits = { ...state.controls.limits, ...withoutUndefined(body.limits) };
          const now = clock.now();
          const fields: ControlsChange = {
            reason: body.reason,
            by: caller.name,
            limits,
            ...(body.gate === undefined
              ? {}
              : { gate: body.gate, pausedUntil: body.gate === "paused" && body.pausedForMs ? now + body.pausedForMs : null }),
            ...(body.stopRunning ? { stopBefore: now } : {}),
          };
          const result = await ledger.compareAndSet(id, body.version ?? state.controls.version, fields);
          if (result.set) return one(id);
          if (body.version !== undefined) break;
        }
        return problem("conflict", "Somebody else changed the budget's controls meanwhile; read them and decide again.");
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/budgets/{id}/spend",
      summary: "Spend by prompt, operation, provider and model, the most expensive first",
      allow: viewers,
      query: window,
      body: noBody,
      success: {
        status: 200,
        description: "`items` are rows over whole buckets of [from, to), UTC ms",
        schema: listSchema(spendRowSchema),
      },
      problems: ["not-found"],
      async handle({ params, query }) {
        const id = params["id"] ?? "";
        if ((await ledger.read(id)) === undefined) return noBudget(id);
        return json({ items: await ledger.spend(id, query.from, query.to) });
      },
    }),
  ];
}

function tooMany(id: string, max: number): Refusal {
  return problem(
    "too-many-budgets",
    `The budget ${id} was not created: ${max} budgets exist, which is what RUNBOOKD_MAX_BUDGETS allows. Use one of them, or raise the setting in every process.`,
  );
}

function noBudget(id: string): Refusal {
  return problem("not-found", `There is no budget ${JSON.stringify(id.slice(0, 60))}; GET /api/budgets lists them.`);
}

function withoutUndefined(limits: { readonly [Name in keyof BudgetLimits]?: BudgetLimits[Name] | undefined }): Partial<BudgetLimits> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
