import { z } from "zod";
import type { Instant } from "../core/clock.ts";
import type { MicroUsd } from "../core/money.ts";
import { budgetIdSchema, externalIdSchema, queueNameSchema } from "./names.ts";
import { newTicketSchema, type TicketState } from "./ticket.ts";

const amount = z.int().min(0).max(Number.MAX_SAFE_INTEGER).nullable().default(null);

/** Tickets that are handed in together, run on one budget and queue, and have a gate of their own. */
export const newBatchSchema = z.strictObject({
  id: externalIdSchema,
  budget: budgetIdSchema,
  queue: queueNameSchema.default("default"),
  limits: z
    .strictObject({ maxCostMicroUsd: amount, perTicketCapMicroUsd: amount })
    .default({ maxCostMicroUsd: null, perTicketCapMicroUsd: null }),
  tickets: z
    .array(newTicketSchema.omit({ budget: true, queue: true, batchId: true }))
    .min(1, "a batch without tickets is refused")
    .max(1000),
});

/** See {@link newBatchSchema}; the defaulted members may be left out. */
export type NewBatchInput = z.input<typeof newBatchSchema>;

/** A parsed new batch. */
export type NewBatch = z.output<typeof newBatchSchema>;

/** One batch as it is. */
export interface Batch {
  readonly id: string;
  readonly budget: string;
  readonly queue: string;
  readonly gate: "open" | "paused";
  readonly reason: string;
  readonly by: string;
  readonly limits: { readonly maxCostMicroUsd: MicroUsd | null; readonly perTicketCapMicroUsd: MicroUsd | null };
  readonly spentMicroUsd: MicroUsd;
  readonly counts: { readonly [State in TicketState]: number };
  readonly createdAt: Instant;
}

/** Where batches are kept. */
export interface BatchStore {
  /** Creates it without tickets. False: a batch of this id is there already. */
  create(batch: Omit<NewBatch, "tickets">): Promise<boolean>;
  get(id: string): Promise<Batch | undefined>;
  /** Newest first; `undefined` means that the cursor is none of ours. */
  list(page: {
    readonly cursor?: string;
    readonly limit: number;
  }): Promise<{ readonly items: readonly Batch[]; readonly nextCursor?: string } | undefined>;
  /** Opens or closes the batch's own gate. False: there is no such batch. */
  setGate(id: string, gate: "open" | "paused", reason: string, by: string): Promise<boolean>;
}
