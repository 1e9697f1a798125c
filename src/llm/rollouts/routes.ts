import type { AuditKind } from "../../../packages/sdk/src/wire/audit.ts";
import { externalIdSchema } from "../../../packages/sdk/src/wire/names.ts";
import { listSchema } from "../../../packages/sdk/src/wire/page.ts";
import {
  newRolloutSchema,
  qualityRevisionSchema,
  type Rollout,
  type RolloutSummary,
  rolloutSchema,
  rolloutStepSchema,
  rolloutSummarySchema,
  rolloutViewSchema,
  ticketQualitySchema,
} from "../../../packages/sdk/src/wire/rollouts.ts";
import type { AuditLog } from "../../core/audit.ts";
import type { Clock } from "../../core/clock.ts";
import { answerers, raisers, submitters, viewers } from "../../platform/http/roles.ts";
import { defineRoute, type JsonResponse, json, noBody, noQuery, problem, type Refusal, type Route } from "../../platform/http/route.ts";
import { judgeRollout } from "./judge-rollout.ts";
import type { QualityRevision, RolloutStore } from "./rollout.ts";
import { noRollout, type RolloutSteering, type SteeringOrder, type SteeringResult } from "./rollout-steering.ts";

/** What the routes of rollouts need. */
export interface RolloutRouteDeps {
  readonly store: RolloutStore;
  readonly steering: RolloutSteering;
  readonly audit: AuditLog;
  readonly clock: Pick<Clock, "now">;
  /** Makes the id of a rollout that was asked for without one. */
  readonly newId: () => string;
}

/** Rollouts: what they have counted and shown, what people order, and late judgements of tickets. */
export function createRolloutRoutes({ store, steering, audit, clock, newId }: RolloutRouteDeps): readonly Route[] {
  /** Records an order with its reply, and answers it. */
  const answer = async (
    kind: AuditKind,
    { id, by, reason }: SteeringOrder & { readonly id: string },
    result: SteeringResult,
  ): Promise<JsonResponse<Rollout> | Refusal> => {
    const isDone = result.kind === "done";
    await audit.append({
      at: clock.now(),
      kind: isDone ? kind : "rollout_refused",
      by,
      subject: `rollout/${id.slice(0, 100)}`,
      detail: isDone
        ? { reason, state: result.rollout.state, version: result.rollout.version }
        : { reason, order: kind, why: result.detail },
    });
    return isDone ? json(result.rollout) : problem(problemOf[result.because], result.detail);
  };
  /** An order about a rollout that exists. */
  const orderRoute = ({ kind, act, ...described }: OrderRoute): Route =>
    defineRoute({
      method: "post",
      ...described,
      query: noQuery,
      body: rolloutStepSchema,
      success: { status: 200, description: "The rollout", schema: rolloutSchema },
      problems: ["not-found", "conflict"],
      async handle({ params, body: { reason }, caller, signal }) {
        const order = { id: params["id"] ?? "", by: caller.name, reason, signal };
        return answer(kind, order, await act(order.id, order));
      },
    });
  const find = async (id: string) => {
    const [rollout, strata, misassigned] = await Promise.all([store.read(id), store.strata(id), store.misassigned(id)]);
    return rollout && { rollout, strata: [...strata], misassigned, verdict: judgeRollout(strata, rollout.plan) };
  };

  return [
    defineRoute({
      method: "get",
      path: "/api/rollouts",
      summary: "Every rollout of the last 30 days, live ones first",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "`items` are rollouts with their newest decision", schema: listSchema(rolloutSummarySchema) },
      handle: async () => json({ items: (await store.list()).map(summarize) }),
    }),
    defineRoute({
      method: "get",
      path: "/api/rollouts/{id}",
      summary: "One rollout with its decisions, its counts by step and arm, and every figure that they lead to",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The rollout", schema: rolloutViewSchema },
      problems: ["not-found"],
      async handle({ params }) {
        const id = params["id"] ?? "";
        const view = await find(id);
        return view === undefined ? problem("not-found", noRollout(id)) : json(view);
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/rollouts",
      summary: "Plan a rollout; no ticket gets anything new before it is started. The same id, subject and plan again is the same rollout",
      allow: answerers,
      query: noQuery,
      body: newRolloutSchema,
      success: { status: 201, description: "The rollout", schema: rolloutSchema },
      problems: ["not-found", "conflict"],
      async handle({ body: { id = newId(), subject, plan, reason }, caller }) {
        const order = { id, by: caller.name, reason };
        return answer("rollout_created", order, await steering.create({ ...order, subject, plan }));
      },
    }),
    orderRoute({
      path: "/api/rollouts/{id}/start",
      summary: "Give a planned rollout its first share, or let a held one go on",
      allow: raisers,
      kind: "rollout_started",
      act: async (id, order) => steering.start(id, order),
    }),
    orderRoute({
      path: "/api/rollouts/{id}/grow",
      summary:
        "Let a rollout that no run drives go one step further, if its counts permit it; behind its last step every ticket gets the new variant",
      allow: raisers,
      kind: "rollout_grown",
      act: async (id, order) => steering.grow(id, order),
    }),
    orderRoute({
      path: "/api/rollouts/{id}/hold",
      summary: "Keep the share as it is until a person lets the rollout go on or takes it back",
      allow: answerers,
      stops: true,
      kind: "rollout_held",
      act: async (id, order) => steering.hold(id, order),
    }),
    orderRoute({
      path: "/api/rollouts/{id}/take-back",
      summary: "Give new tickets the old variant again, which ends the rollout; tickets keep what they began with",
      allow: answerers,
      stops: true,
      kind: "rollout_taken_back",
      act: async (id, order) => steering.takeBack(id, order),
    }),
    defineRoute({
      method: "put",
      path: "/api/tickets/{id}/quality",
      summary: "Say how good an ended ticket really was; the rollouts that it is in count it instead of success or failure",
      allow: submitters,
      query: noQuery,
      body: ticketQualitySchema,
      success: {
        status: 200,
        description: "How many rollouts count the ticket, and whether that changed anything",
        schema: qualityRevisionSchema,
      },
      problems: ["not-found", "conflict"],
      async handle({ params, body: { quality, reason }, caller }) {
        const ticketId = externalIdSchema.safeParse(params["id"]);
        if (!ticketId.success) return problem("not-found", unheard.unknown_ticket);
        const revision = await store.reviseQuality({ ticketId: ticketId.data, quality });
        // What the application reports is no act of a person.
        if (caller.role !== "workload") {
          const detail = { quality, reason, reply: revision.kind };
          await audit.append({ at: clock.now(), kind: "ticket_quality_set", by: caller.name, subject: `ticket/${ticketId.data}`, detail });
        }
        if (revision.kind === "revised" || revision.kind === "unchanged")
          return json({ result: revision.kind, rollouts: revision.rollouts });
        return problem(revision.kind === "unknown_ticket" ? "not-found" : "conflict", unheard[revision.kind]);
      },
    }),
  ];
}

interface OrderRoute extends Pick<Route, "path" | "summary" | "allow"> {
  /** It lowers risk, so nothing holds it back. */
  readonly stops?: true;
  readonly kind: AuditKind;
  readonly act: RolloutSteering["grow"];
}

const problemOf = { unknown: "not-found", invalid: "invalid-request", conflict: "conflict" } as const;

const unheard: Readonly<Record<Exclude<QualityRevision["kind"], "revised" | "unchanged">, string>> = {
  unknown_ticket: "No rollout of the last 30 days counts this ticket.",
  too_late: "The ticket's outcome is final: it ended longer ago than the rollout's plan permits to revise it, or passed its deadline.",
  not_ended: "The ticket has not ended. Report its end first.",
};

function summarize({ decisions, ...rollout }: Rollout): RolloutSummary {
  const decision = decisions.at(-1);
  return decision === undefined ? rollout : { ...rollout, decision };
}
