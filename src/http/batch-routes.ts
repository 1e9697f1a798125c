import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import type { BatchControl } from "../workload/batch-control.ts";
import { isThrough } from "../workload/batch-control.ts";
import { batchLimitsSchema, batchTicketSchema, mostTicketsAtOnce, newBatchSchema, type Batch, type BatchStore } from "../workload/batch.ts";
import type { WorkloadLedger } from "../workload/ledger.ts";
import { externalIdSchema } from "../workload/names.ts";
import { providerPayloadSchema } from "../workload/provider-tickets.ts";
import type { AddReply, NewTicket, TicketDoorbell, TicketStore } from "../workload/ticket.ts";
import { defineRoute, json, noBody, noQuery, problem, type Reply, type Route, type ServerSentEvent } from "./route.ts";
import { operators, viewers, workloads } from "./who.ts";

/** What batches stand on. */
export interface BatchRouteDeps {
  readonly ledger: Pick<WorkloadLedger, "read">;
  readonly batches: BatchStore;
  readonly control: BatchControl;
  readonly tickets: Pick<TicketStore, "addAll" | "holdersOf">;
  readonly doorbell: TicketDoorbell;
  readonly clock: Clock;
}

const cursor = z.string().min(1).max(512).optional();
const limit = z.coerce.number().int().min(1).max(200).default(50);
const batchPage = z.strictObject({ cursor, limit });
const reason = z.strictObject({ reason: z.string().trim().min(1).max(300) });
const moreTickets = z.strictObject({ tickets: z.array(batchTicketSchema).min(1).max(mostTicketsAtOnce) });
const references = z.strictObject({ references: z.array(externalIdSchema).min(1).max(mostTicketsAtOnce) });
const newLimits = z.strictObject({ limits: batchLimitsSchema, version: z.int().min(0) });

/** A thousand tickets of up to 16 kB each would be more; whoever hands in large ones sends fewer at a time. */
const bodyLimitBytes = 8 * 1024 * 1024;

/** How often a follower looks. */
const followEveryMs = 1000;

/** Who hands batches in and asks after them. */
const submitters = [...new Set([...workloads, ...operators])];
const readers = [...new Set([...viewers, ...workloads])];

/** Batches: handing them in whole or as a draft, what they will cost, how far they are, and the three verbs. */
export function createBatchRoutes({ ledger, batches, control, tickets, doorbell, clock }: BatchRouteDeps): readonly Route[] {
  const one = async (id: string, status = 200, more: object = {}): Promise<Reply> => {
    const batch = await control.look(id);
    return batch === undefined ? noBatch(id) : json(status, { ...batch, ...more });
  };
  const verb = async (id: string, change: Parameters<BatchControl["change"]>[1], status = 200): Promise<Reply> => {
    switch (await control.change(id, change)) {
      case "set":
        return one(id, status);
      case "missing":
        return noBatch(id);
      case "over":
      case "conflict":
        return problem("conflict", `Batch ${id} is through or cancelled; nothing of it changes any more.`);
    }
  };
  const add = async (wanted: readonly z.output<typeof batchTicketSchema>[], head: Pick<Batch, "id" | "budget" | "queue" | "provider">) => {
    const issues = head.provider === undefined ? [] : wanted.flatMap((ticket) => requestIssue(ticket.id, ticket.payload));
    if (issues.length > 0) return { own: [], added: 0, issues };
    const own = wanted.map((ticket): NewTicket => ({ ...ticket, budget: head.budget, queue: head.queue, batchId: head.id }));
    const replies = await tickets.addAll(own);
    return {
      own,
      added: replies.filter(({ kind }) => kind === "added").length,
      issues: replies.flatMap((reply, index) => issueOf(reply, own[index])),
    };
  };
  return [
    defineRoute({
      method: "get",
      path: "/api/batches",
      summary: "Batches, newest first, by page",
      who: viewers,
      query: batchPage,
      body: noBody,
      answers: { 200: "`items` are batches; `nextCursor` asks for the next page and is absent on the last" },
      async handle({ query }) {
        const page = await batches.list(query.cursor === undefined ? { limit: query.limit } : { cursor: query.cursor, limit: query.limit });
        return page === undefined ? problem("invalid-request", "The cursor is not one that this list has given out.") : json(200, page);
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/batches",
      summary:
        "Hand in a batch that begins at once, or with `draft: true` one that is filled and submitted later; the same one again adds only what is missing",
      who: submitters,
      query: noQuery,
      body: newBatchSchema,
      bodyLimitBytes,
      answers: { 201: "The batch; `added` tickets are new" },
      problems: ["not-found", "conflict"],
      async handle({ body }) {
        if ((await ledger.read(body.budget)) === undefined)
          return problem("not-found", `There is no budget ${body.budget}; define it first.`);
        const { tickets: wanted, draft, ...head } = body;
        if ((await batches.create(head, draft)) === "differs") {
          return problem("conflict", `Batch ${head.id} exists with another budget, queue or limits.`);
        }
        const { own, added, issues } = await add(wanted, head);
        // Rung for a known ticket too: the first try may have ended between the record and the ring.
        if (!draft && (await batches.get(head.id))?.estimate === undefined)
          await Promise.all(own.map(async (ticket) => doorbell.ring(ticket)));
        return issues.length > 0 ? refusedTickets(issues) : one(head.id, 201, { added });
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/batches/references",
      summary: "Which references belong to a ticket that is open or was successful; such a ticket is not handed in again",
      who: submitters,
      query: noQuery,
      body: references,
      answers: { 200: "`items`: `reference`, `ticketId` and `state` of each that is taken" },
      async handle({ body }) {
        const holders = await tickets.holdersOf(body.references);
        const items = body.references.flatMap((reference, index) => {
          const holder = holders[index];
          return holder === undefined ? [] : [{ reference, ticketId: holder.id, state: holder.state }];
        });
        return json(200, { items });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/batches/{id}",
      summary: "One batch: tickets by state, progress, forecast, and why it has stopped if it has",
      who: readers,
      query: noQuery,
      body: noBody,
      answers: { 200: "The batch" },
      problems: ["not-found"],
      handle: async ({ params }) => one(params["id"] ?? ""),
    }),
    defineRoute({
      method: "get",
      path: "/api/batches/{id}/events",
      summary:
        "The batch as server-sent events, one `progress` whenever it has changed: the id is its revision, Last-Event-ID resumes behind it, `end` is the last",
      who: readers,
      query: noQuery,
      body: noBody,
      answers: { 200: "text/event-stream" },
      problems: ["not-found"],
      async handle({ params, lastEventId, signal }) {
        const id = params["id"] ?? "";
        if (lastEventId !== undefined && !/^\d{1,15}$/.test(lastEventId)) {
          return problem("invalid-request", "Last-Event-ID is not an id that this stream has given out.");
        }
        if ((await control.look(id)) === undefined) return noBatch(id);
        return { kind: "events", events: follow(id, lastEventId === undefined ? -1 : Number(lastEventId), signal) };
      },
    }),
    defineRoute({
      method: "patch",
      path: "/api/batches/{id}",
      summary: "Set the limits; `version` is the one that was read",
      who: operators,
      query: noQuery,
      body: newLimits,
      answers: { 200: "The batch as it is now" },
      problems: ["not-found", "conflict"],
      async handle({ params, body, caller }) {
        const id = params["id"] ?? "";
        switch (await control.change(id, { limits: body.limits, by: caller.name }, body.version)) {
          case "set":
            return one(id);
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
      method: "post",
      path: "/api/batches/{id}/tickets",
      summary: "Fill a draft, up to 1000 tickets at a time; the same tickets again change nothing",
      who: submitters,
      query: noQuery,
      body: moreTickets,
      bodyLimitBytes,
      answers: { 200: "`added` tickets are new" },
      problems: ["not-found", "conflict"],
      async handle({ params, body }) {
        const batch = await batches.get(params["id"] ?? "");
        if (batch === undefined) return noBatch(params["id"] ?? "");
        const { added, issues } = await add(body.tickets, batch);
        return issues.length > 0 ? refusedTickets(issues) : json(200, { added });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/batches/{id}/estimate",
      summary: "What it will probably cost, from tickets of the same kinds, and whether its budget has room for that",
      who: readers,
      query: noQuery,
      body: noBody,
      answers: { 200: "`estimate` and `room`" },
      problems: ["not-found"],
      async handle({ params }) {
        const quote = await control.quote(params["id"] ?? "");
        return quote === undefined ? noBatch(params["id"] ?? "") : json(200, quote);
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/batches/{id}/submit",
      summary: "Make a draft run: its 90th percentile is reserved from the budget in the same step, or it is refused with the arithmetic",
      who: submitters,
      query: noQuery,
      body: noBody,
      answers: { 202: "The batch; it was submitted now or before" },
      problems: ["not-found", "conflict"],
      async handle({ params, caller }) {
        const id = params["id"] ?? "";
        const answer = await control.submit(id, caller.name);
        switch (answer.kind) {
          case "submitted":
          case "joined":
            return one(id, 202);
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
    defineRoute({
      method: "post",
      path: "/api/batches/{id}/pause",
      summary: "Let nothing of it begin or go on until it is resumed; tickets in flight stop at their next turn with their work saved",
      who: operators,
      query: noQuery,
      body: reason,
      answers: { 200: "The batch as it is now" },
      problems: ["not-found", "conflict"],
      handle: async ({ params, body, caller }) => verb(params["id"] ?? "", { gate: "paused", reason: body.reason, by: caller.name }),
    }),
    defineRoute({
      method: "post",
      path: "/api/batches/{id}/resume",
      summary: "Let it go on where it stood; its budget's gate stays as it is",
      who: operators,
      query: noQuery,
      body: reason,
      answers: { 200: "The batch as it is now" },
      problems: ["not-found", "conflict"],
      handle: async ({ params, body, caller }) => verb(params["id"] ?? "", { gate: "open", reason: body.reason, by: caller.name }),
    }),
    defineRoute({
      method: "post",
      path: "/api/batches/{id}/cancel",
      summary: "End it for good: what waits is cancelled, what is in flight stops at its next turn with its work saved",
      who: operators,
      query: noQuery,
      body: reason,
      answers: { 202: "It will end" },
      problems: ["not-found", "conflict"],
      handle: async ({ params, body, caller }) =>
        verb(params["id"] ?? "", { state: "cancelled", reason: body.reason, by: caller.name }, 202),
    }),
  ];

  async function* follow(id: string, after: number, signal: AbortSignal): AsyncGenerator<ServerSentEvent> {
    let last = after;
    while (!signal.aborted) {
      const batch = await control.look(id);
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

function issueOf(reply: AddReply, ticket: NewTicket | undefined): string[] {
  const name = ticket?.id ?? "a ticket";
  switch (reply.kind) {
    case "added":
    case "known":
      return [];
    case "differs":
      return [`${name}: another ticket of this id was handed in before.`];
    case "sealed":
      return [`${name}: the batch was submitted or cancelled and takes no more tickets.`];
    case "taken":
      return [`${name}: its reference ${ticket?.externalRef ?? ""} belongs to ticket ${reply.by}.`];
  }
}

/** A ticket of a batch for a provider is one request; none of a request's siblings is taken before all are. */
function requestIssue(id: string, payload: unknown): string[] {
  return providerPayloadSchema.safeParse(payload).success
    ? []
    : [`${id}: the payload of a ticket for a provider holds \`request\`, a body in the provider's own shape.`];
}

function refusedTickets(issues: readonly string[]): Reply {
  return problem("conflict", `${issues.length} tickets were not taken; the others were.`, issues);
}

function noBatch(id: string): Reply {
  return problem("not-found", `There is no batch ${JSON.stringify(id.slice(0, 60))}; GET /api/batches lists them.`);
}
