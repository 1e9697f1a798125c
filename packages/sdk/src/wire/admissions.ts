import { z } from "zod";
import { budgetIdSchema, externalIdSchema, queueNameSchema, ticketKindSchema } from "./names.ts";
import { type RolloutAssignment, rolloutAssignmentsSchema } from "./rollouts.ts";
import type { Shape } from "./shape.ts";
import { endStates } from "./tickets.ts";
import { instantSchema } from "./units.ts";

/** What names the rollouts of a ticket. */
interface Assigned {
  readonly assignments?: readonly RolloutAssignment[];
}

/** What is asked before a ticket and between its turns. */
export const admissionRequestSchema = z.strictObject({
  ticketId: externalIdSchema,
  budget: budgetIdSchema,
  queue: queueNameSchema.default("default"),
  batchId: externalIdSchema.optional(),
  /** Turns that are done; 0 asks for the start. */
  turn: z.int().min(0).max(1_000_000).default(0),
  /** 1 for the first try of the ticket. */
  attempt: z.int().min(1).max(10_000).default(1),
  /** What the next turn will cost at most; it is reserved. */
  estimateMicroUsd: z.int().min(0).max(1_000_000_000_000),
  /** The rollouts that the ticket is in. The first admission counts it; an unknown rollout is ignored. */
  assignments: rolloutAssignmentsSchema.exactOptional(),
});

/** See {@link admissionRequestSchema}; the defaulted members may be left out. */
export type AdmissionRequestInput = Omit<z.input<typeof admissionRequestSchema>, "assignments"> & Assigned;

/** A parsed request. */
export type AdmissionRequest = Shape<typeof admissionRequestSchema>;

/** Why a ticket waits or stops: a closed set. */
export const admissionReasons = [
  "budget_paused", // The budget's gate is closed.
  "batch_paused", // The batch's gate is closed.
  "stop_requested", // Every ticket in flight was asked to stop.
  "ticket_cap", // The ticket has cost more than one ticket may.
  "minute_cap", // The budget's spend of this minute is used up.
  "attempts_exhausted", // More attempts than a ticket may have.
  "concurrency", // As many tickets in flight as permitted.
  "rate", // As many tickets started this minute as permitted.
  "budget_exhausted", // Spent, reserved and estimated would pass the limit.
  "batch_exhausted", // The same for the batch's own limit.
  "batch_draft", // The batch has not been submitted.
  "batch_leading", // Its leading tickets go first.
  "batch_leading_failed", // Too few of them succeeded.
  "batch_failures", // Too many of its tickets failed.
  "batch_deadline", // Its deadline has passed.
  "batch_concurrency", // As many of its tickets in flight as permitted.
  "batch_rate", // As many of its tickets started this minute as permitted.
  "batch_cancelled", // The whole batch was cancelled.
  "ticket_cancelled", // The ticket itself was cancelled.
  "unknown_budget", // Nobody defined this budget.
  "unreachable", // The gate could not be asked.
] as const;

/** See {@link admissionReasons}. */
export type AdmissionReason = (typeof admissionReasons)[number];

const refusal = { reason: z.enum(admissionReasons), detail: z.string(), retryAfterMs: z.number() };

/** The answer to an admission on the wire: `{leaseId}`, `{wait}` or `{stop}`, each with what belongs to it. */
export const admissionResponseSchema = z.union([
  z.object({ leaseId: z.string(), leaseMs: z.number() }),
  z.object({ wait: z.literal(true), ...refusal }),
  z.object({ stop: z.literal(true), ...refusal }),
]);

/** See {@link admissionResponseSchema}. */
export type AdmissionResponse = Shape<typeof admissionResponseSchema>;

/** The gate's answer. `wait`: ask again after `retryAfterMs`. `stop`: save the work and give the lease up. */
export type AdmissionAnswer =
  | { readonly kind: "admitted"; readonly leaseId: string; readonly leaseMs: number }
  | { readonly kind: "wait"; readonly reason: AdmissionReason; readonly detail: string; readonly retryAfterMs: number }
  | { readonly kind: "stop"; readonly reason: AdmissionReason; readonly detail: string; readonly retryAfterMs: number };

/** An answer as it is sent. */
export function admissionToWire(answer: AdmissionAnswer): AdmissionResponse {
  if (answer.kind === "admitted") return { leaseId: answer.leaseId, leaseMs: answer.leaseMs };
  const { reason, detail, retryAfterMs } = answer;
  return answer.kind === "wait" ? { wait: true, reason, detail, retryAfterMs } : { stop: true, reason, detail, retryAfterMs };
}

/** An answer as it was received. */
export function admissionFromWire(response: AdmissionResponse): AdmissionAnswer {
  if ("leaseId" in response) return { kind: "admitted", ...response };
  const { reason, detail, retryAfterMs } = response;
  return { kind: "wait" in response ? "wait" : "stop", reason, detail, retryAfterMs };
}

/** Which budget a lease draws on. */
export const extensionSchema = z.strictObject({ budget: budgetIdSchema });

/** False: there is no such lease any more; its reservation was charged, unless its turn was reported. */
export const extensionResponseSchema = z.object({ extended: z.boolean() });

/** A ticket's end, or its pause. Only the first end of a ticket is counted. */
export const releaseSchema = z.strictObject({
  ticketId: externalIdSchema,
  budget: budgetIdSchema,
  queue: queueNameSchema.default("default"),
  batchId: externalIdSchema.optional(),
  kind: ticketKindSchema.default("ticket"),
  /** Absent: the ticket goes on later. */
  outcome: z.enum(endStates).optional(),
  variant: z.string().max(60).default("baseline"),
  failureClass: z.string().max(40).optional(),
  /** No model request was made since the last admission: its reservation is given back instead of charged. */
  unused: z.boolean().default(false),
  /** The rollouts that the ticket is in, for one that no admission and no usage has counted. */
  assignments: rolloutAssignmentsSchema.exactOptional(),
});

/** See {@link releaseSchema}; the defaulted members may be left out. */
export type ReleaseInput = Omit<z.input<typeof releaseSchema>, "assignments"> & Assigned;

/** True: this request was the first that ended the ticket. */
export const releaseResponseSchema = z.object({ finished: z.boolean() });

/** Where tickets ask. A ticket's worker calls `admit` before the start and after every turn, `extend` during long turns, `release` at the end. */
export interface AdmissionGate {
  admit(request: AdmissionRequestInput): Promise<AdmissionAnswer>;
  /** Keeps the reservation of a turn that takes long. False: there is no such lease any more. */
  extend(budget: string, leaseId: string): Promise<boolean>;
  release(release: ReleaseInput): Promise<void>;
}

/** What the gate did, in order: an admission, a refusal, or a change of the gate itself. Written in the same atomic step as what it records. */
export const admissionLogEntrySchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.enum(["admitted", "wait", "stop"]),
    at: instantSchema,
    budget: z.string(),
    ticketId: z.string(),
    /** True when the ticket had no lease: it started, or went on after a pause. */
    starts: z.boolean(),
    reason: z.exactOptional(z.enum(admissionReasons)),
  }),
  z.object({
    kind: z.literal("gate"),
    at: instantSchema,
    budget: z.string(),
    gate: z.enum(["open", "paused"]),
    pausedUntil: z.exactOptional(instantSchema),
    by: z.string(),
  }),
]);

/** See {@link admissionLogEntrySchema}. */
export type AdmissionLogEntry = Shape<typeof admissionLogEntrySchema>;
