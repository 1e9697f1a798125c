import { z } from "zod";
import type { Instant } from "../core/clock.ts";
import type { MicroUsd } from "../core/money.ts";
import type { ConcurrencyState } from "./adapt-concurrency.ts";
import type { BatchEstimate } from "./batch-estimate.ts";
import { budgetIdSchema, externalIdSchema, queueNameSchema } from "./names.ts";
import { newTicketSchema, type TicketState } from "./ticket.ts";

const amount = z.int().min(0).max(Number.MAX_SAFE_INTEGER).nullable().default(null);

/** What bounds one batch; null = no limit. */
export const batchLimitsSchema = z.strictObject({
  /** Of the whole batch. */
  maxCostMicroUsd: amount,
  perTicketCapMicroUsd: amount,
  /** Tickets in flight at once; lowered by itself while the provider answers 429. */
  concurrency: z.int().min(1).max(10_000).nullable().default(null),
  /** Tickets that may begin per minute. */
  ratePerMinute: z.int().min(1).max(1_000_000).nullable().default(null),
  /** UTC milliseconds after which no ticket begins any more. */
  deadlineAt: z.int().min(0).max(8_640_000_000_000_000).nullable().default(null),
  /** No ticket begins any more at this share of failed tickets … */
  maxFailureRatio: z.number().min(0).max(1).default(0.2),
  /** … once so many have ended. */
  minForRatio: z.int().min(1).max(1_000_000).default(20),
  /** So many go first, and three of five of them must succeed before the rest follows; 0 = all at once. */
  leadingTickets: z.int().min(0).max(1000).default(5),
});

/** See {@link batchLimitsSchema}. */
export type BatchLimits = z.output<typeof batchLimitsSchema>;

/** A ticket without what its batch says for all of them. */
export const batchTicketSchema = newTicketSchema.omit({ budget: true, queue: true, batchId: true });

/** Most tickets of one request; larger batches come as a draft, piece by piece. */
export const mostTicketsAtOnce = 1000;

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
export type BatchHead = z.output<typeof batchHeadSchema>;

/** A batch that is handed in whole and begins at once, or `draft: true`: filled piece by piece and submitted later. */
export const newBatchSchema = batchHeadSchema
  .extend({ draft: z.boolean().default(false), tickets: z.array(batchTicketSchema).max(mostTicketsAtOnce).default([]) })
  .refine(({ draft, provider }) => draft || provider === undefined, {
    path: ["draft"],
    error: "a batch for a provider is handed in as a draft, estimated as a whole, and submitted",
  })
  .refine(({ draft, tickets }) => draft || tickets.length > 0, { path: ["tickets"], error: "a batch without tickets is refused" });

/** See {@link newBatchSchema}; the defaulted members may be left out. */
export type NewBatchInput = z.input<typeof newBatchSchema>;

/**
 * `draft` is filled and nothing of it runs · `open` runs · `cancelled`: nothing of it begins any more, and what runs stops at its next turn ·
 * `done`: it was submitted as a whole, and every ticket has ended.
 */
export const batchStates = ["draft", "open", "cancelled", "done"] as const;

/** See {@link batchStates}. */
export type BatchState = (typeof batchStates)[number];

/** One batch as it is. */
export interface Batch {
  readonly id: string;
  readonly budget: string;
  readonly queue: string;
  /** Whose batch interface answers the tickets; absent: workers do. */
  readonly provider?: (typeof batchProviders)[number];
  readonly state: BatchState;
  readonly gate: "open" | "paused";
  readonly reason: string;
  readonly by: string;
  readonly limits: BatchLimits;
  /** Changes with gate, state and limits. */
  readonly version: number;
  /** Tickets at once now; the configured limit, or less while the provider is asked too much. */
  readonly concurrencyNow: number | null;
  readonly spentMicroUsd: MicroUsd;
  /** Still reserved for tickets that have not begun a turn. */
  readonly reservedMicroUsd: MicroUsd;
  /** What was estimated when it was submitted; absent for a batch that was handed in ticket by ticket. */
  readonly estimate?: { readonly p50MicroUsd: MicroUsd; readonly p90MicroUsd: MicroUsd; readonly tickets: number };
  readonly counts: { readonly [State in TicketState]: number };
  readonly kinds: { readonly [kind: string]: number };
  /** Tickets that have begun, and of these the ones that have ended. */
  readonly begun: number;
  readonly begunEnded: number;
  /** The leading group has proven itself. */
  readonly led: boolean;
  /** Of a submitted batch: how many tickets have been put into the queue. */
  readonly fed: number;
  /** Requests to a model, and of these the ones that were answered 429. */
  readonly requests: number;
  readonly rateLimited: number;
  readonly adapted?: AdaptedConcurrency;
  /** Grows with everything that happens to it. */
  readonly revision: number;
  readonly createdAt: Instant;
  readonly submittedAt?: Instant;
}

/** The concurrency as it was adapted, and the requests that had been counted then. */
export interface AdaptedConcurrency extends ConcurrencyState {
  readonly requests: number;
  readonly rateLimited: number;
}

/** Fields to set; what is absent stays. */
export interface BatchChange {
  readonly gate?: "open" | "paused";
  readonly state?: "cancelled";
  readonly reason?: string;
  readonly by?: string;
  readonly limits?: BatchLimits;
  readonly adapted?: AdaptedConcurrency;
}

/** What came of a submission. `joined`: it had been submitted before. `refused`: the budget has no room for it. */
export type SubmitReply =
  | { readonly kind: "submitted" }
  | { readonly kind: "joined" }
  | { readonly kind: "missing" }
  | { readonly kind: "no_budget" }
  | { readonly kind: "changed"; readonly tickets: number }
  | { readonly kind: "not_draft"; readonly state: BatchState }
  | { readonly kind: "refused"; readonly spentMicroUsd: MicroUsd; readonly committedMicroUsd: MicroUsd; readonly limitMicroUsd: MicroUsd };

/** Where batches are kept. */
export interface BatchStore {
  /** Creates it without tickets. `same`: a batch with this beginning is there already. `differs`: another one is. */
  create(batch: BatchHead, draft: boolean): Promise<"created" | "same" | "differs">;
  get(id: string): Promise<Batch | undefined>;
  /** Newest first; `undefined` means that the cursor is none of ours. */
  list(page: {
    readonly cursor?: string;
    readonly limit: number;
  }): Promise<{ readonly items: readonly Batch[]; readonly nextCursor?: string } | undefined>;
  /** Batches that somebody must look after: submitted or cancelled, and not through. */
  active(): Promise<readonly string[]>;
  /** With a version it is a compare-and-set. A batch that is through, or cancelled, takes no change. */
  change(id: string, change: BatchChange, expectedVersion?: number): Promise<"set" | "conflict" | "missing" | "over">;
  /** Makes a draft of exactly `estimate.tickets` tickets run, and reserves its 90th percentile, in one step. */
  submit(id: string, estimate: BatchEstimate): Promise<SubmitReply>;
  /** Tickets that are to enter the queue next, so that `upTo` of the batch have; the same again until `fed` notes them. */
  feed(id: string, upTo: number): Promise<readonly string[]>;
  /** Notes that so many tickets are in the queue. */
  fed(id: string, count: number): Promise<void>;
  /** Gives back what is still reserved and ends the batch, if every ticket of it has ended. */
  settle(id: string): Promise<boolean>;
  /** What the last tickets of a kind cost, newest first, at most 500. */
  costs(kind: string): Promise<readonly MicroUsd[]>;
  /** Tickets of the batch that ended, by slot of 10 s. */
  endedBySlot(id: string): Promise<ReadonlyMap<number, number>>;
}
