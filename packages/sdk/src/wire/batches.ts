import { z } from "zod";
import { admissionReasons } from "./admissions.ts";
import { budgetIdSchema, externalIdSchema, queueNameSchema } from "./names.ts";
import { endEventSchema } from "./page.ts";
import type { Shape } from "./shape.ts";
import { newTicketSchema, ticketStates } from "./tickets.ts";
import { instantSchema, microUsdSchema } from "./units.ts";

const amount = z.int().min(0).max(Number.MAX_SAFE_INTEGER).nullable().default(null);

/** What bounds one batch; null = no limit. */
export const batchLimitsSchema = z.strictObject({
  /** Of the whole batch. */
  maxCostMicroUsd: amount,
  perTicketCapMicroUsd: amount,
  /** Tickets in flight at once; lowered automatically while the provider answers 429. */
  concurrency: z.int().min(1).max(10_000).nullable().default(null),
  /** Tickets that may begin per minute. */
  ratePerMinute: z.int().min(1).max(1_000_000).nullable().default(null),
  /** UTC milliseconds after which no ticket begins any more. */
  deadlineAt: z.int().min(0).max(8_640_000_000_000_000).nullable().default(null),
  /** No ticket begins any more at this share of failed tickets … */
  maxFailureRatio: z.number().min(0).max(1).default(0.2),
  /** … once this many tickets have ended. */
  minForRatio: z.int().min(1).max(1_000_000).default(20),
  /** This many tickets go first, and three of five of them must succeed before the others follow; 0: all at once. */
  pilotTickets: z.int().min(0).max(1000).default(5),
});

/** See {@link batchLimitsSchema}. */
export type BatchLimits = Shape<typeof batchLimitsSchema>;

/** A ticket without what its batch says for all of them. */
export const batchTicketSchema = newTicketSchema.omit({ budget: true, queue: true, batchId: true });

/** Most tickets of one request; larger batches come as a draft, piece by piece. */
export const maxTicketsAtOnce = 1000;

/** Providers whose batch interface is known, by OTel's name. */
export const batchProviders = ["anthropic", "openai"] as const;

/** What every batch begins with. */
export const batchHeadSchema = z.strictObject({
  id: externalIdSchema,
  budget: budgetIdSchema,
  queue: queueNameSchema.default("default"),
  limits: batchLimitsSchema.prefault({}),
  /** Whose batch interface answers the tickets, instead of workers: each payload holds the `request`. Handed in as a draft. */
  provider: z.exactOptional(z.enum(batchProviders)),
});

/** See {@link batchHeadSchema}. */
export type BatchHead = Shape<typeof batchHeadSchema>;

/** A batch that is handed in whole and begins at once, or `draft: true`: filled piece by piece and submitted later. */
export const newBatchSchema = batchHeadSchema
  .extend({ draft: z.boolean().default(false), tickets: z.array(batchTicketSchema).max(maxTicketsAtOnce).default([]) })
  .refine(({ draft, provider }) => draft || provider === undefined, {
    path: ["draft"],
    error: "a batch for a provider is handed in as a draft, estimated as a whole, and submitted",
  })
  .refine(({ draft, tickets }) => draft || tickets.length > 0, { path: ["tickets"], error: "a batch without tickets is refused" });

/** See {@link newBatchSchema}; the defaulted members may be left out. */
export type NewBatchInput = z.input<typeof newBatchSchema>;

/** More tickets for a draft. */
export const moreTicketsSchema = z.strictObject({ tickets: z.array(batchTicketSchema).min(1).max(maxTicketsAtOnce) });

/** References of which it is asked whether a ticket has them. */
export const referencesSchema = z.strictObject({ references: z.array(externalIdSchema).min(1).max(maxTicketsAtOnce) });

/** New limits of a batch; `version` is the one that was read. */
export const batchChangeSchema = z.strictObject({ limits: batchLimitsSchema, version: z.int().min(0) });

/** Why a person pauses, resumes or cancels a batch. */
export const batchReasonSchema = z.strictObject({ reason: z.string().trim().min(1).max(300) });

/**
 * `draft` is filled and nothing of it runs · `open` runs · `cancelled`: nothing of it begins any more, and what runs stops at its next turn ·
 * `done`: it was submitted as a whole, and every ticket has ended.
 */
export const batchStates = ["draft", "open", "cancelled", "done"] as const;

/** See {@link batchStates}. */
export type BatchState = (typeof batchStates)[number];

/** One batch as it is. */
export const batchSchema = z.object({
  id: z.string(),
  budget: z.string(),
  queue: z.string(),
  /** Whose batch interface answers the tickets; absent: workers do. */
  provider: z.exactOptional(z.enum(batchProviders)),
  state: z.enum(batchStates),
  gate: z.enum(["open", "paused"]),
  reason: z.string(),
  by: z.string(),
  limits: batchLimitsSchema,
  /** Changes with gate, state and limits. */
  version: z.number(),
  /** Tickets at once now; the configured limit, or less while the provider is asked too much. */
  concurrencyNow: z.number().nullable(),
  spentMicroUsd: microUsdSchema,
  /** Still reserved for tickets that have not begun a turn. */
  reservedMicroUsd: microUsdSchema,
  /** What was estimated when it was submitted; absent for a batch that was handed in ticket by ticket. */
  estimate: z.exactOptional(z.object({ p50MicroUsd: microUsdSchema, p90MicroUsd: microUsdSchema, tickets: z.number() })),
  counts: z.record(z.enum(ticketStates), z.number()),
  kinds: z.record(z.string(), z.number()),
  /** Tickets that have begun, and of these the ones that have ended. */
  begun: z.number(),
  begunEnded: z.number(),
  /** Enough tickets of the pilot group have succeeded. */
  pilotPassed: z.boolean(),
  /** Of a submitted batch: how many tickets have been put into the queue. */
  enqueued: z.number(),
  /** Requests to a model, and of these the ones that were answered 429. */
  requests: z.number(),
  rateLimited: z.number(),
  /** The concurrency as it was adapted, and the requests that had been counted then. */
  adapted: z.exactOptional(
    z.object({
      /** Tickets at once. */
      limit: z.number(),
      /** Since when no look met too many 429s, nor was the limit raised. */
      cleanSince: instantSchema,
      /** When it was last halved; absent when never. */
      halvedAt: z.exactOptional(instantSchema),
      requests: z.number(),
      rateLimited: z.number(),
    }),
  ),
  /** Grows with everything that happens to it. */
  revision: z.number(),
  createdAt: instantSchema,
  submittedAt: z.exactOptional(instantSchema),
});

/** See {@link batchSchema}. */
export type Batch = Shape<typeof batchSchema>;

/** How far a batch is, and where it will end if it goes on like this. */
export const batchProgressSchema = z.object({
  tickets: z.number(),
  ended: z.number(),
  succeeded: z.number(),
  /** Median of the tickets that ended per minute in the last half hour; null while none has. */
  perMinute: z.number().nullable(),
  /** When it will be through; null when that cannot be estimated. */
  etaAt: instantSchema.nullable(),
  /** What it will have cost. */
  forecastMicroUsd: microUsdSchema,
});

/** See {@link batchProgressSchema}. */
export type BatchProgress = Shape<typeof batchProgressSchema>;

/** A batch, how far it is, and why it admits nothing any more when it has stopped automatically. */
export const batchViewSchema = batchSchema
  .extend({
    progress: batchProgressSchema,
    stop: z.object({ hold: z.enum(admissionReasons), detail: z.string() }).nullable(),
  })
  .meta({ id: "Batch" });

/** See {@link batchViewSchema}. */
export type BatchView = Shape<typeof batchViewSchema>;

/** What tickets of one kind cost. */
const ticketEstimateSchema = z.object({
  p50MicroUsd: microUsdSchema,
  p90MicroUsd: microUsdSchema,
  /** Ended tickets that it is computed from. */
  n: z.number(),
  /** `prior`: too few have ended, so it is assumed. */
  from: z.enum(["history", "prior"]),
});

/** See {@link batchEstimateSchema}. */
export type TicketEstimate = Shape<typeof ticketEstimateSchema>;

/** Tickets of one kind in a batch, and what one costs. */
const kindEstimateSchema = ticketEstimateSchema.extend({ kind: z.string(), tickets: z.number() });

/** See {@link batchEstimateSchema}. */
export type KindEstimate = Shape<typeof kindEstimateSchema>;

/** The estimate of a whole batch. `p90MicroUsd` is what is reserved: the 90th percentile of every ticket, added up; careful on purpose. */
export const batchEstimateSchema = z.object({
  kinds: z.array(kindEstimateSchema),
  tickets: z.number(),
  p50MicroUsd: microUsdSchema,
  p90MicroUsd: microUsdSchema,
});

/** See {@link batchEstimateSchema}. */
export type BatchEstimate = Shape<typeof batchEstimateSchema>;

/** Whether a budget has room for a batch. `arithmetic` is shown to people. */
export const roomVerdictSchema = z.object({
  fits: z.boolean(),
  arithmetic: z.string(),
  /** The reservation as a share of what is left; above 0.8 a person decides. */
  shareOfRemaining: z.number(),
});

/** See {@link roomVerdictSchema}. */
export type RoomVerdict = Shape<typeof roomVerdictSchema>;

/** What a draft will probably cost, and whether its budget has room for it. */
export const batchQuoteSchema = z.object({ estimate: batchEstimateSchema, room: roomVerdictSchema });

/** See {@link batchQuoteSchema}. */
export type BatchQuote = Shape<typeof batchQuoteSchema>;

/** How many tickets of a request were new. */
export const addedTicketsSchema = z.object({ added: z.number() });

/** A batch that was handed in, and how many of the request's tickets were new. */
export const handedInBatchSchema = batchViewSchema.extend(addedTicketsSchema.shape);

/** A reference that belongs to a ticket which is open or was successful. */
export const takenReferenceSchema = z.object({ reference: z.string(), ticketId: z.string(), state: z.enum(ticketStates) });

/** One event of a batch's stream: `progress` whenever it has changed, `end` as the last. */
export const batchEventSchema = z.discriminatedUnion("event", [
  z.object({ event: z.literal("progress"), data: batchViewSchema }),
  endEventSchema,
]);
