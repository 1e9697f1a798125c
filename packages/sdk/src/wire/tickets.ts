import { z } from "zod";
import { jsonSchema } from "./json.ts";
import { budgetIdSchema, externalIdSchema, queueNameSchema, ticketKindSchema } from "./names.ts";
import type { Shape } from "./shape.ts";
import { instantSchema, microUsdSchema } from "./units.ts";

/** States that nothing leads out of; `quarantined` was set aside by a recovery, for a person to look at. */
export const endStates = ["succeeded", "failed", "dead", "cancelled", "quarantined"] as const;

/** Where a ticket is; always exactly one. */
export const ticketStates = ["queued", "running", "waiting", ...endStates] as const;

/** See {@link ticketStates}. */
export type TicketState = (typeof ticketStates)[number];

/** A ticket to add. */
export const newTicketSchema = z.strictObject({
  id: externalIdSchema,
  budget: budgetIdSchema,
  queue: queueNameSchema.default("default"),
  batchId: externalIdSchema.optional(),
  /** What it is called where it comes from; no two tickets of one reference are open or successful at once. */
  externalRef: externalIdSchema.optional(),
  /** Tickets of one kind cost alike. */
  kind: ticketKindSchema.default("ticket"),
  /** Whatever the application needs to do the work; up to 16 kB of JSON, the rest by reference. */
  payload: jsonSchema
    .default(null)
    .refine((value) => JSON.stringify(value).length <= 16_384, "at most 16 kB of JSON; hand in a reference instead"),
  variant: z.string().max(60).default("baseline"),
  /** Tries before the ticket is dead; the budget's own limit holds too. */
  maxAttempts: z.int().min(1).max(100).default(3),
  /** What the first turn will cost at most. */
  estimateMicroUsd: z.int().min(0).max(1_000_000_000_000).default(0),
});

/** See {@link newTicketSchema}; the defaulted members may be left out. */
export type NewTicketInput = z.input<typeof newTicketSchema>;

/** A parsed new ticket. */
export type NewTicket = Shape<typeof newTicketSchema>;

/** One ticket: an agent's piece of work, made of turns. */
export const ticketSchema = z
  .object({
    id: z.string(),
    budget: z.string(),
    queue: z.string(),
    batchId: z.exactOptional(z.string()),
    externalRef: z.exactOptional(z.string()),
    kind: z.string(),
    payload: jsonSchema,
    variant: z.string(),
    maxAttempts: z.number(),
    state: z.enum(ticketStates),
    /** Why it waits or ended: a reason of the gate, or a sentence. */
    reason: z.string(),
    /** 1 for the first try. */
    attempt: z.number(),
    /** Turns that are done and saved. */
    turn: z.number(),
    /** The work so far, as the processor saved it. */
    saved: jsonSchema,
    /** What the next turn will cost at most. */
    estimateMicroUsd: microUsdSchema,
    /** Part of the work that it is in, as its processor reports; empty when it reports none. */
    stage: z.string(),
    /** Failure classes of the tries that a recovery looked at, oldest first, at most 20. */
    failures: z.array(z.string()),
    createdAt: instantSchema,
    updatedAt: instantSchema,
  })
  .meta({ id: "Ticket" });

/** See {@link ticketSchema}. */
export type Ticket = Shape<typeof ticketSchema>;
