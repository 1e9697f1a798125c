import { z } from "zod";
import { externalIdSchema } from "../../../packages/sdk/src/wire/names.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { ticketSchema, ticketStates } from "../../../packages/sdk/src/wire/tickets.ts";
import { viewers } from "../../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, problem, type Route } from "../../platform/http/route.ts";
import type { TicketStore } from "./ticket.ts";

const cursor = z.string().min(1).max(512).optional();
const limit = z.coerce.number().int().min(1).max(200).default(50);
const ticketPage = z.strictObject({ state: z.enum(ticketStates).optional(), batch: externalIdSchema.optional(), cursor, limit });

/** Tickets: listing, and one with its saved work. */
export function createTicketRoutes({ tickets }: { readonly tickets: Pick<TicketStore, "get" | "list"> }): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/tickets",
      summary: "Tickets, newest first, by page",
      allow: viewers,
      query: ticketPage,
      body: noBody,
      success: {
        status: 200,
        description: "`items` are tickets; `nextCursor` asks for the next page and is absent on the last",
        schema: pageSchema(ticketSchema),
      },
      async handle({ query: { state, batch, ...page } }) {
        const filter = { ...(state === undefined ? {} : { state }), ...(batch === undefined ? {} : { batchId: batch }) };
        const listed = await tickets.list(
          filter,
          page.cursor === undefined ? { limit: page.limit } : { cursor: page.cursor, limit: page.limit },
        );
        return listed === undefined ? problem("invalid-request", "The cursor is not one that this list has given out.") : json(listed);
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/tickets/{id}",
      summary: "One ticket with its saved work",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The ticket", schema: ticketSchema },
      problems: ["not-found"],
      async handle({ params }) {
        const ticket = await tickets.get(params["id"] ?? "");
        return ticket === undefined ? problem("not-found", "There is no such ticket; GET /api/tickets lists them.") : json(ticket);
      },
    }),
  ];
}
