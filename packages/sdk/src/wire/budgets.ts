import { z } from "zod";
import type { Shape } from "./shape.ts";
import { instantSchema, microUsdSchema } from "./units.ts";
import { usageEventSchema } from "./usage.ts";

const amount = z.int().min(0).max(Number.MAX_SAFE_INTEGER).nullable();

/** Limits of a budget; null = none. */
export const budgetLimitsSchema = z.strictObject({
  /** Tickets in flight at once. */
  concurrency: amount,
  /** Admissions of new tickets per minute. */
  ratePerMinute: amount,
  /** A ticket that has cost more is stopped at its next turn boundary. */
  perTicketCapMicroUsd: amount,
  /** Spend of the whole budget per minute; above it turns wait. */
  perMinuteCapMicroUsd: amount,
  /** Attempts per ticket. */
  maxAttempts: amount,
});

/** See {@link budgetLimitsSchema}. */
export type BudgetLimits = Shape<typeof budgetLimitsSchema>;

const dayMs = 86_400_000;

/** The definition of a budget. */
export const budgetDefinitionSchema = z.strictObject({
  limitMicroUsd: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** 30 days by default. */
  periodMs: z
    .int()
    .min(1000)
    .max(400 * dayMs)
    .default(30 * dayMs),
  /** Midnight UTC of the first request's day by default. */
  periodStartsAt: z.int().min(0).optional(),
  profile: z.array(z.number().min(0)).length(168).optional(),
  profileHourMs: z.int().min(1).optional(),
});

/** The limits and the gate that a request sets on a budget. */
export const budgetChangeSchema = z.strictObject({
  /** The version that was read; without it the change is made whatever came between. */
  version: z.int().optional(),
  gate: z.enum(["open", "paused"]).optional(),
  /** A pause that ends automatically. */
  pausedForMs: z.int().min(1).optional(),
  /** Asks every ticket in flight to stop at its next turn boundary. */
  stopRunning: z.boolean().default(false),
  /** Limits that are absent stay; null takes one away. */
  limits: budgetLimitsSchema.partial().default({}),
  reason: z.string().trim().min(1).max(300),
});

/** What a person defines. */
export const budgetSchema = z.object({
  /** Bounded id, `[a-z0-9-]{1,40}`; a metric label. */
  id: z.string(),
  limitMicroUsd: microUsdSchema,
  /** Length of the period in milliseconds (30 d by default; a demo scales it). */
  periodMs: z.number(),
  periodStartsAt: instantSchema,
  /** 168 hour-of-week weights (Monday 00:00 UTC first) that sum to 1; absent = uniform. */
  profile: z.exactOptional(z.array(z.number())),
  /** Length of one profile hour in milliseconds; 3 600 000 unless time is scaled (a demo divides it like every duration). */
  profileHourMs: z.exactOptional(z.number()),
});

/** See {@link budgetSchema}. */
export type Budget = Shape<typeof budgetSchema>;

/**
 * What automation and people may set on a budget: one versioned record, changed by compare-and-set only.
 * A closed gate answers `wait` to new tickets; `stopBefore` answers `stop` to every ticket whose lease began earlier.
 */
export const budgetControlsSchema = z.object({
  version: z.number(),
  gate: z.enum(["open", "paused"]),
  reason: z.string(),
  /** Who closed or opened it, e.g. `run:<id>` or a person. */
  by: z.string(),
  /** A pause that expires automatically, so that a dead runner fails safe. */
  pausedUntil: z.exactOptional(instantSchema),
  stopBefore: z.exactOptional(instantSchema),
  limits: budgetLimitsSchema,
});

/** See {@link budgetControlsSchema}. */
export type BudgetControls = Shape<typeof budgetControlsSchema>;

/** A budget's ledger and activity at one moment. */
export const budgetStateSchema = z
  .object({
    budget: budgetSchema,
    controls: budgetControlsSchema,
    spentMicroUsd: microUsdSchema,
    /** The part of `spentMicroUsd` that stands for costs that are not known. */
    estimatedMicroUsd: microUsdSchema,
    /** Reserved by live leases. */
    committedMicroUsd: microUsdSchema,
    running: z.number(),
    queued: z.number(),
    allowanceMicroUsdPerSecond: z.number(),
    periodRemainingSeconds: z.number(),
    /** Queues and batches that draw on it. */
    queues: z.array(z.string()),
    batches: z.array(z.string()),
  })
  .meta({ id: "BudgetState" });

/** See {@link budgetStateSchema}. */
export type BudgetState = Shape<typeof budgetStateSchema>;

/** A ticket in flight. */
export const runningTicketSchema = z.object({ ticketId: z.string(), leaseId: z.string(), since: instantSchema, turn: z.number() });

/** See {@link runningTicketSchema}. */
export type RunningTicket = Shape<typeof runningTicketSchema>;

/** One budget with its tickets in flight. */
export const budgetViewSchema = budgetStateSchema.extend({ inFlight: z.array(runningTicketSchema) });

/** What a person says about the cost of a report whose cost is not known, or is in conflict. */
export const budgetCorrectionSchema = z.strictObject({
  /** The provider of the report; `unreported` for a turn that ended without one. */
  provider: z.string().min(1).max(60),
  /** The id of the report or the turn, as `GET /api/usage` shows it. */
  usageId: z.string().min(1).max(200),
  costMicroUsd: z.int().min(0).max(1_000_000_000_000),
  reason: z.string().trim().min(1).max(300),
});

/** A corrected report, and by how much its cost changed. */
export const correctedUsageSchema = z.object({ event: usageEventSchema, changeMicroUsd: microUsdSchema });

/** Spend of one (prompt, operation, model) in a window; input of the cost ranking. */
export const spendRowSchema = z.object({
  prompt: z.string(),
  operation: z.string(),
  provider: z.string(),
  model: z.string(),
  costMicroUsd: microUsdSchema,
  /** The part of `costMicroUsd` that stands for costs that are not known. */
  estimatedMicroUsd: microUsdSchema,
  requests: z.number(),
  tickets: z.number(),
  attempts: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  unpricedTokens: z.number(),
});

/** See {@link spendRowSchema}. */
export type SpendRow = Shape<typeof spendRowSchema>;
