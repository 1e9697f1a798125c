import { z } from "zod";
import { newBatchSchema, type BatchStore } from "../workload/batch.ts";
import type { WorkloadLedger } from "../workload/ledger.ts";
import { externalIdSchema } from "../workload/names.ts";
import { hasEnded, ticketStates, type TicketDoorbell, type TicketStore } from "../workload/ticket.ts";
import { defineRoute, json, noBody, noQuery, problem, type Reply, type Route } from "./route.ts";
import { operators, viewers, workloads } from "./who.ts";

/** What batches and tickets stand on. */
export interface BatchRouteDeps {
  readonly ledger: Pick<WorkloadLedger, "read" | "cancelTicket">;
  readonly batches: BatchStore;
  readonly tickets: TicketStore;
  readonly doorbell: TicketDoorbell;
}

const cursor = z.string().min(1).max(512).optional();
const limit = z.coerce.number().int().min(1).max(200).default(50);
const batchPage = z.strictObject({ cursor, limit });
const ticketPage = z.strictObject({ state: z.enum(ticketStates).optional(), batch: externalIdSchema.optional(), cursor, limit });
const gateChange = z.strictObject({ gate: z.enum(["open", "paused"]), reason: z.string().trim().min(1).max(300) });

/** One connection takes this many at a time without keeping others waiting. */
const ticketsAtOnce = 50;

/** Who hands batches in and asks after them. */
const submitters = [...new Set([...workloads, ...operators])];

/** Batches and the tickets in them. */
export function createBatchRoutes({ ledger, batches, tickets, doorbell }: BatchRouteDeps): readonly Route[] {
  const one = async (id: string, status = 200, more: object = {}): Promise<Reply> => {
    const batch = await batches.get(id);
    return batch === undefined ? noBatch(id) : json(status, { ...batch, ...more });
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
        return page === undefined ? noCursor() : json(200, page);
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/batches",
      summary: "Hand in a batch with its tickets; handing the same one in again adds only what is missing",
      who: submitters,
      query: noQuery,
      body: newBatchSchema,
      bodyLimitBytes: 8 * 1024 * 1024,
      answers: { 201: "The batch; `added` tickets are new" },
      problems: ["not-found", "conflict"],
      async handle({ body }) {
        if ((await ledger.read(body.budget)) === undefined)
          return problem("not-found", `There is no budget ${body.budget}; define it first.`);
        const { tickets: wanted, draft, ...batch } = body;
        if (!(await batches.create(batch, draft))) {
          const known = await batches.get(batch.id);
          if (known?.budget !== batch.budget || known.queue !== batch.queue) {
            return problem("conflict", `Batch ${batch.id} exists with another budget or queue.`);
          }
        }
        const { budget, queue, id: batchId } = batch;
        let added = 0;
        for (let start = 0; start < wanted.length; start += ticketsAtOnce) {
          await Promise.all(
            wanted.slice(start, start + ticketsAtOnce).map(async (ticket) => {
              if (await tickets.add({ ...ticket, budget, queue, batchId })) added += 1;
              // Rung for a known ticket too: the first try may have ended between the record and the ring.
              await doorbell.ring({ id: ticket.id, queue });
            }),
          );
        }
        return one(batch.id, 201, { added });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/batches/{id}",
      summary: "One batch with its tickets by state",
      who: [...new Set([...viewers, ...workloads])],
      query: noQuery,
      body: noBody,
      answers: { 200: "The batch" },
      problems: ["not-found"],
      handle: async ({ params }) => one(params["id"] ?? ""),
    }),
    defineRoute({
      method: "patch",
      path: "/api/batches/{id}",
      summary: "Open or close the batch's own gate",
      who: operators,
      query: noQuery,
      body: gateChange,
      answers: { 200: "The batch as it is now" },
      problems: ["not-found"],
      async handle({ params, body, caller }) {
        const id = params["id"] ?? "";
        const reply = await batches.change(id, { ...body, by: caller.name });
        if (reply === "over") return problem("conflict", `Batch ${id} is through or cancelled.`);
        return reply === "missing" ? noBatch(id) : one(id);
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/batches/{id}/cancel",
      summary: "Cancel every ticket of the batch that has not ended; one in flight stops at its next turn boundary with its work saved",
      who: operators,
      query: noQuery,
      body: noBody,
      answers: { 202: "`cancelled` tickets were asked to stop" },
      problems: ["not-found"],
      async handle({ params, caller }) {
        const id = params["id"] ?? "";
        if ((await batches.get(id)) === undefined) return noBatch(id);
        await batches.change(id, { state: "cancelled", reason: "cancelled", by: caller.name });
        let cancelled = 0;
        let next: string | undefined;
        do {
          const page = await tickets.list({ batchId: id }, next === undefined ? { limit: 200 } : { cursor: next, limit: 200 });
          for (const ticket of page?.items ?? []) {
            if (hasEnded(ticket.state)) continue;
            await ledger.cancelTicket(ticket.budget, ticket.id);
            await doorbell.ring(ticket);
            cancelled += 1;
          }
          next = page?.nextCursor;
        } while (next !== undefined);
        return one(id, 202, { cancelled });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/tickets",
      summary: "Tickets, newest first, by page",
      who: viewers,
      query: ticketPage,
      body: noBody,
      answers: { 200: "`items` are tickets; `nextCursor` asks for the next page and is absent on the last" },
      async handle({ query: { state, batch, ...page } }) {
        const filter = { ...(state === undefined ? {} : { state }), ...(batch === undefined ? {} : { batchId: batch }) };
        const found = await tickets.list(
          filter,
          page.cursor === undefined ? { limit: page.limit } : { cursor: page.cursor, limit: page.limit },
        );
        return found === undefined ? noCursor() : json(200, found);
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/tickets/{id}",
      summary: "One ticket with its saved work",
      who: viewers,
      query: noQuery,
      body: noBody,
      answers: { 200: "The ticket" },
      problems: ["not-found"],
      async handle({ params }) {
        const ticket = await tickets.get(params["id"] ?? "");
        return ticket === undefined ? problem("not-found", "There is no such ticket; GET /api/tickets lists them.") : json(200, ticket);
      },
    }),
  ];
}

function noBatch(id: string): Reply {
  return problem("not-found", `There is no batch ${JSON.stringify(id.slice(0, 60))}; GET /api/batches lists them.`);
}

function noCursor(): Reply {
  return problem("invalid-request", "The cursor is not one that this list has given out.");
}
