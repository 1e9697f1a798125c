import { z } from "zod";
import {
  batchChangeSchema,
  batchEventSchema,
  batchQuoteSchema,
  batchReasonSchema,
  batchSchema,
  batchViewSchema,
} from "../../../packages/sdk/src/wire/batches.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import type { Shape } from "../../../packages/sdk/src/wire/shape.ts";
import type { Clock } from "../../core/clock.ts";
import { operators, submitters, viewers, workloads } from "../../platform/http/roles.ts";
import {
  defineEventRoute,
  defineRoute,
  json,
  noBody,
  noQuery,
  problem,
  type Route,
  type ServerSentEvent,
} from "../../platform/http/route.ts";
import type { BudgetLedger } from "../budgets/budget-ledger.ts";
import type { TicketStore, TicketWakeQueue } from "../tickets/ticket.ts";
import type { BatchChange, BatchStore } from "./batch.ts";
import { type BatchControl, isThrough } from "./batch-control.ts";
import { createBatchCreationRoutes } from "./batch-creation-routes.ts";
import { batchResponse, noBatch } from "./batch-response-routes.ts";

/** What batches stand on. */
export interface BatchRouteDeps {
  readonly ledger: Pick<BudgetLedger, "read">;
  readonly batches: BatchStore;
  readonly control: BatchControl;
  readonly tickets: Pick<TicketStore, "addAll" | "holdersOf">;
  readonly wakeQueue: TicketWakeQueue;
  readonly clock: Clock;
}

const cursor = z.string().min(1).max(512).optional();
const limit = z.coerce.number().int().min(1).max(200).default(50);
const batchPage = z.strictObject({ cursor, limit });

/** How often a follower looks. */
const followEveryMs = 1000;

const readers = [...new Set([...viewers, ...workloads])];

/** Batches: handing them in whole or as a draft, what they will cost, how far they are, and the three verbs. */
export function createBatchRoutes({ ledger, batches, control, tickets, wakeQueue, clock }: BatchRouteDeps): readonly Route[] {
  const verbRoute = (verb: string, summary: string, change: Pick<BatchChange, "gate" | "state">): Route => {
    const success =
      change.state === "cancelled"
        ? { status: 202 as const, description: "The batch; it will end", schema: batchViewSchema }
        : { status: 200 as const, description: "The batch as it is now", schema: batchViewSchema };
    return defineRoute({
      method: "post",
      path: `/api/batches/{id}/${verb}`,
      summary,
      allow: operators,
      query: noQuery,
      body: batchReasonSchema,
      success,
      problems: ["not-found", "conflict"],
      async handle({ params, body, caller }) {
        const id = params["id"] ?? "";
        switch (await control.change(id, { ...change, reason: body.reason, by: caller.name })) {
          case "set":
            return batchResponse(control, id);
          case "missing":
            return noBatch(id);
          case "over":
          case "conflict":
            return problem("conflict", `Batch ${id} is through or cancelled; nothing of it changes any more.`);
        }
      },
    });
  };
  return [
    ...createBatchCreationRoutes({ ledger, batches, control, tickets, wakeQueue }),
    defineRoute({
      method: "get",
      path: "/api/batches",
      summary: "Batches, newest first, by page",
      allow: viewers,
      query: batchPage,
      body: noBody,
      success: {
        status: 200,
        description: "`items` are batches; `nextCursor` asks for the next page and is absent on the last",
        schema: pageSchema(batchSchema),
      },
      async handle({ query }) {
        const page = await batches.list(query.cursor === undefined ? { limit: query.limit } : { cursor: query.cursor, limit: query.limit });
        return page === undefined ? problem("invalid-request", "The cursor is not one that this list has given out.") : json(page);
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/batches/{id}",
      summary: "One batch: tickets by state, progress, forecast, and why it has stopped if it has",
      allow: readers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The batch", schema: batchViewSchema },
      problems: ["not-found"],
      handle: async ({ params }) => batchResponse(control, params["id"] ?? ""),
    }),
    defineEventRoute({
      method: "get",
      path: "/api/batches/{id}/events",
      summary:
        "The batch as server-sent events, one `progress` whenever it has changed: the id is its revision, Last-Event-ID resumes behind it, `end` is the last",
      allow: readers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "Server-sent events", events: batchEventSchema },
      problems: ["not-found"],
      async handle({ params, lastEventId, signal }) {
        const id = params["id"] ?? "";
        if (lastEventId !== undefined && !/^\d{1,15}$/.test(lastEventId)) {
          return problem("invalid-request", "Last-Event-ID is not an id that this stream has given out.");
        }
        if ((await control.get(id)) === undefined) return noBatch(id);
        return { kind: "events", events: follow(id, lastEventId === undefined ? -1 : Number(lastEventId), signal) };
      },
    }),
    defineRoute({
      method: "patch",
      path: "/api/batches/{id}",
      summary: "Set the limits; `version` is the one that was read",
      allow: operators,
      query: noQuery,
      body: batchChangeSchema,
      success: { status: 200, description: "The batch as it is now", schema: batchViewSchema },
      problems: ["not-found", "conflict"],
      async handle({ params, body, caller }) {
        const id = params["id"] ?? "";
        switch (await control.change(id, { limits: body.limits, by: caller.name }, body.version)) {
          case "set":
            return batchResponse(control, id);
          case "missing":
            return noBatch(id);
          case "conflict":
            return problem("conflict", `Batch ${id} was changed since version ${body.version}; read it again.`);
          case "over":
            return problem("conflict", `Batch ${id} is through or cancelled; nothing of it changes any more.`);
        }
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/batches/{id}/estimate",
      summary: "What it will probably cost, from tickets of the same kinds, and whether its budget has room for that",
      allow: readers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "`estimate` and `room`", schema: batchQuoteSchema },
      problems: ["not-found"],
      async handle({ params }) {
        const quote = await control.quote(params["id"] ?? "");
        return quote === undefined ? noBatch(params["id"] ?? "") : json(quote);
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/batches/{id}/submit",
      summary: "Make a draft run: its 90th percentile is reserved from the budget in the same step, or it is refused with the arithmetic",
      allow: submitters,
      query: noQuery,
      body: noBody,
      success: { status: 202, description: "The batch; it was submitted now or before", schema: batchViewSchema },
      problems: ["not-found", "conflict"],
      async handle({ params, caller }) {
        const id = params["id"] ?? "";
        const answer = await control.submit(id, caller.name);
        switch (answer.kind) {
          case "submitted":
          case "joined":
            return batchResponse(control, id);
          case "missing":
            return noBatch(id);
          case "no_budget":
            return problem("not-found", "Its budget is gone; define it again.");
          case "changed":
            return problem("conflict", `It has ${answer.tickets} tickets now and grew while it was estimated; submit it again.`);
          case "not_draft":
            return problem("conflict", `It is ${answer.state} and no draft.`);
          case "refused":
            return problem("conflict", `The budget has no room for it: ${answer.arithmetic}`);
        }
      },
    }),
    verbRoute(
      "pause",
      "Let nothing of it begin or go on until it is resumed; tickets in flight stop at their next turn with their work saved",
      {
        gate: "paused",
      },
    ),
    verbRoute("resume", "Let it go on where it stood; its budget's gate stays as it is", { gate: "open" }),
    verbRoute("cancel", "End it for good: what waits is cancelled, what is in flight stops at its next turn with its work saved", {
      state: "cancelled",
    }),
  ];

  async function* follow(id: string, after: number, signal: AbortSignal): AsyncGenerator<ServerSentEvent & Shape<typeof batchEventSchema>> {
    let last = after;
    while (!signal.aborted) {
      const batch = await control.get(id);
      if (batch === undefined) return;
      if (batch.revision > last) {
        last = batch.revision;
        yield { id: String(last), event: "progress", data: batch };
      }
      if (isThrough(batch)) {
        yield { id: String(last), event: "end", data: {} };
        return;
      }
      await clock.sleep(followEveryMs, signal).catch(() => undefined);
    }
  }
}
