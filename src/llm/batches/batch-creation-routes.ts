import type { z } from "zod";
import {
  addedTicketsSchema,
  type Batch,
  type batchTicketSchema,
  handedInBatchSchema,
  moreTicketsSchema,
  newBatchSchema,
  referencesSchema,
  takenReferenceSchema,
} from "../../../packages/sdk/src/wire/batches.ts";
import { listSchema } from "../../../packages/sdk/src/wire/page.ts";
import type { NewTicket } from "../../../packages/sdk/src/wire/tickets.ts";
import { submitters } from "../../platform/http/roles.ts";
import { defineRoute, json, noQuery, problem, type Refusal, type Route } from "../../platform/http/route.ts";
import type { BudgetLedger } from "../budgets/budget-ledger.ts";
import type { AddTicketResult, TicketStore, TicketWakeQueue } from "../tickets/ticket.ts";
import type { BatchStore } from "./batch.ts";
import type { BatchControl } from "./batch-control.ts";
import { noBatch } from "./batch-response-routes.ts";
import { providerPayloadSchema } from "./provider/provider-tickets.ts";

/** A thousand tickets of up to 16 kB each would be more; a client with large tickets sends fewer at a time. */
const bodyLimitBytes = 8 * 1024 * 1024;

/** Ports of the routes that create batches. */
export interface BatchCreationRouteDeps {
  readonly ledger: Pick<BudgetLedger, "read">;
  readonly batches: Pick<BatchStore, "create" | "get">;
  readonly control: Pick<BatchControl, "get">;
  readonly tickets: Pick<TicketStore, "addAll" | "holdersOf">;
  readonly wakeQueue: TicketWakeQueue;
}

/** Handing batches in: whole or as a draft that is filled, and which references are taken already. */
export function createBatchCreationRoutes({ ledger, batches, control, tickets, wakeQueue }: BatchCreationRouteDeps): readonly Route[] {
  const add = async (wanted: readonly z.output<typeof batchTicketSchema>[], head: Pick<Batch, "id" | "budget" | "queue" | "provider">) => {
    const issues = head.provider === undefined ? [] : wanted.flatMap((ticket) => requestIssue(ticket.id, ticket.payload));
    if (issues.length > 0) return { newTickets: [], added: 0, issues };
    const newTickets = wanted.map((ticket): NewTicket => ({ ...ticket, budget: head.budget, queue: head.queue, batchId: head.id }));
    const results = await tickets.addAll(newTickets);
    return {
      newTickets,
      added: results.filter(({ kind }) => kind === "added").length,
      issues: results.flatMap((result, index) => issueOf(result, newTickets[index])),
    };
  };
  return [
    defineRoute({
      method: "post",
      path: "/api/batches",
      summary:
        "Hand in a batch that begins at once, or with `draft: true` one that is filled and submitted later; the same one again adds only what is missing",
      allow: submitters,
      query: noQuery,
      body: newBatchSchema,
      bodyLimitBytes,
      success: { status: 201, description: "The batch; `added` tickets are new", schema: handedInBatchSchema },
      problems: ["not-found", "conflict"],
      async handle({ body }) {
        if ((await ledger.read(body.budget)) === undefined)
          return problem("not-found", `There is no budget ${body.budget}; define it first.`);
        const { tickets: wanted, draft, ...head } = body;
        if ((await batches.create(head, draft)) === "differs") {
          return problem("conflict", `Batch ${head.id} exists with another budget, queue or limits.`);
        }
        const { newTickets, added, issues } = await add(wanted, head);
        // Rung for a known ticket too: the first try may have ended between the record and the ring.
        if (!draft && (await batches.get(head.id))?.estimate === undefined)
          await Promise.all(newTickets.map(async (ticket) => wakeQueue.enqueue(ticket)));
        if (issues.length > 0) return refusedTickets(issues);
        const batch = await control.get(head.id);
        return batch === undefined ? noBatch(head.id) : json({ ...batch, added });
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/batches/references",
      summary: "Which references belong to a ticket that is open or was successful; such a ticket is not handed in again",
      allow: submitters,
      query: noQuery,
      body: referencesSchema,
      success: {
        status: 200,
        description: "`items`: `reference`, `ticketId` and `state` of each that is taken",
        schema: listSchema(takenReferenceSchema),
      },
      async handle({ body }) {
        const holders = await tickets.holdersOf(body.references);
        const items = body.references.flatMap((reference, index) => {
          const holder = holders[index];
          return holder === undefined ? [] : [{ reference, ticketId: holder.id, state: holder.state }];
        });
        return json({ items });
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/batches/{id}/tickets",
      summary: "Fill a draft, up to 1000 tickets at a time; the same tickets again change nothing",
      allow: submitters,
      query: noQuery,
      body: moreTicketsSchema,
      bodyLimitBytes,
      success: { status: 200, description: "`added` tickets are new", schema: addedTicketsSchema },
      problems: ["not-found", "conflict"],
      async handle({ params, body }) {
        const batch = await batches.get(params["id"] ?? "");
        if (batch === undefined) return noBatch(params["id"] ?? "");
        const { added, issues } = await add(body.tickets, batch);
        return issues.length > 0 ? refusedTickets(issues) : json({ added });
      },
    }),
  ];
}

function issueOf(result: AddTicketResult, ticket: NewTicket | undefined): string[] {
  const name = ticket?.id ?? "a ticket";
  switch (result.kind) {
    case "added":
    case "known":
      return [];
    case "differs":
      return [`${name}: another ticket of this id was handed in before.`];
    case "sealed":
      return [`${name}: the batch was submitted or cancelled and takes no more tickets.`];
    case "taken":
      return [`${name}: its reference ${ticket?.externalRef ?? ""} belongs to ticket ${result.by}.`];
  }
}

/** A ticket of a batch for a provider is one request; none of a request's siblings is taken before all are. */
function requestIssue(id: string, payload: unknown): string[] {
  return providerPayloadSchema.safeParse(payload).success
    ? []
    : [`${id}: the payload of a ticket for a provider holds \`request\`, a body in the provider's own shape.`];
}

function refusedTickets(issues: readonly string[]): Refusal {
  return problem("conflict", `${issues.length} tickets were not taken; the others were.`, issues);
}
