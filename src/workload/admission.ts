import { z } from "zod";
import type { Instant } from "../core/clock.ts";
import { formatUsd, type MicroUsd } from "../core/money.ts";
import { type BatchFacts, holdBack } from "./batch-admission.ts";
import type { BudgetControls } from "./budget.ts";
import { budgetIdSchema, externalIdSchema, queueNameSchema, ticketKindSchema } from "./names.ts";

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
});

/** See {@link admissionRequestSchema}; the defaulted members may be left out. */
export type AdmissionRequestInput = z.input<typeof admissionRequestSchema>;

/** A parsed request. */
export type AdmissionRequest = z.output<typeof admissionRequestSchema>;

/** Why a ticket waits or stops: a closed set. */
export const admissionReasons = [
  "budget_paused", // The budget's gate is closed.
  "batch_paused", // The batch's gate is closed.
  "stop_requested", // Somebody asked every ticket that was in flight to stop.
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
  "batch_cancelled", // Somebody cancelled the whole batch.
  "ticket_cancelled", // Somebody cancelled it.
  "unknown_budget", // Nobody defined this budget.
  "unreachable", // The gate could not be asked.
] as const;

/** See {@link admissionReasons}. */
export type AdmissionReason = (typeof admissionReasons)[number];

/** The gate's answer. `wait`: ask again after `retryAfterMs`. `stop`: save the work and give the lease up. */
export type AdmissionAnswer =
  | { readonly kind: "admitted"; readonly leaseId: string; readonly leaseMs: number }
  | { readonly kind: "wait"; readonly reason: AdmissionReason; readonly detail: string; readonly retryAfterMs: number }
  | { readonly kind: "stop"; readonly reason: AdmissionReason; readonly detail: string; readonly retryAfterMs: number };

/** What a stopped ticket becomes: it waits for a change of its budget, or it has ended. */
export function afterStop(reason: AdmissionReason): "waiting" | "dead" | "cancelled" {
  if (reason === "attempts_exhausted") return "dead";
  return reason === "ticket_cancelled" || reason === "batch_cancelled" ? "cancelled" : "waiting";
}

/** A ticket's end, or its pause. Only the first end of a ticket is counted. */
export const releaseSchema = z.strictObject({
  ticketId: externalIdSchema,
  budget: budgetIdSchema,
  queue: queueNameSchema.default("default"),
  batchId: externalIdSchema.optional(),
  kind: ticketKindSchema.default("ticket"),
  /** Absent: the ticket goes on later. */
  outcome: z.enum(["succeeded", "failed", "dead", "cancelled", "quarantined"]).optional(),
  variant: z.string().max(60).default("baseline"),
  failureClass: z.string().max(40).optional(),
});

/** See {@link releaseSchema}; the defaulted members may be left out. */
export type ReleaseInput = z.input<typeof releaseSchema>;

/** Where tickets ask. A ticket's worker calls `admit` before the start and after every turn, `extend` during long turns, `release` at the end. */
export interface AdmissionGate {
  admit(request: AdmissionRequestInput): Promise<AdmissionAnswer>;
  /** Keeps the reservation of a turn that takes long. False: there is no such lease any more. */
  extend(budget: string, leaseId: string): Promise<boolean>;
  release(release: ReleaseInput): Promise<void>;
}

/** All that a decision looks at, read at one moment. */
export interface AdmissionFacts {
  readonly limitMicroUsd: MicroUsd;
  readonly controls: BudgetControls;
  readonly spentMicroUsd: MicroUsd;
  /** Reserved by all live leases, this ticket's own included. */
  readonly committedMicroUsd: MicroUsd;
  readonly running: number;
  /** New leases in the current minute. */
  readonly startedThisMinute: number;
  readonly spentThisMinuteMicroUsd: MicroUsd;
  readonly ticketSpentMicroUsd: MicroUsd;
  readonly ticketCancelled: boolean;
  /** This ticket's own live lease. */
  readonly lease?: { readonly leaseId: string; readonly since: Instant; readonly reservedMicroUsd: MicroUsd };
  readonly batch?: BatchFacts;
  /** The ticket has had a lease before. */
  readonly ticketBegun: boolean;
  readonly minuteMs: number;
  readonly periodEndsAt: Instant;
}

/** What the facts permit. `admit` is advice until the ledger has taken it atomically. */
export type AdmissionDecision =
  | { readonly kind: "admit" }
  | { readonly kind: "wait" | "stop"; readonly reason: AdmissionReason; readonly detail: string; readonly retryAfterMs: number };

/** The controls with an expired pause taken as open: a dead runner fails safe. */
export function effectiveControls(controls: BudgetControls, now: Instant): BudgetControls {
  if (controls.gate === "open" || controls.pausedUntil === undefined || now < controls.pausedUntil) return controls;
  return { ...controls, gate: "open", reason: `the pause ended by itself; it was: ${controls.reason}`.slice(0, 300) };
}

/** Milliseconds after which a ticket that waits for a person or a run asks again. */
const askAgainMs = 5000;

/**
 * The whole of admission as one pure function. Stops come before waits; what holds for a ticket in flight comes before what holds for new ones.
 * A ticket in flight is one with a live lease: a closed gate makes it wait at its turn boundary like everybody else.
 */
export function decideAdmission(request: AdmissionRequest, facts: AdmissionFacts, now: Instant): AdmissionDecision {
  const controls = effectiveControls(facts.controls, now);
  const { limits } = controls;
  const soon = Math.min(askAgainMs, facts.minuteMs);
  const stop = (reason: AdmissionReason, detail: string) => ({ kind: "stop", reason, detail, retryAfterMs: soon }) as const;
  const wait = (reason: AdmissionReason, detail: string, retryAfterMs = soon) => ({ kind: "wait", reason, detail, retryAfterMs }) as const;

  if (facts.ticketCancelled) return stop("ticket_cancelled", "The ticket was cancelled.");
  if (facts.batch?.state === "cancelled") return stop("batch_cancelled", `The batch was cancelled: ${facts.batch.reason}`);
  if (controls.stopBefore !== undefined && facts.lease !== undefined && facts.lease.since < controls.stopBefore) {
    return stop("stop_requested", `Tickets that were in flight were asked to stop: ${controls.reason}`);
  }
  if (limits.maxAttempts !== null && request.attempt > limits.maxAttempts) {
    return stop("attempts_exhausted", `Attempt ${request.attempt} of at most ${limits.maxAttempts}.`);
  }
  const cap = smaller(limits.perTicketCapMicroUsd, facts.batch?.limits.perTicketCapMicroUsd ?? null);
  if (cap !== null && facts.ticketSpentMicroUsd > cap) {
    return stop("ticket_cap", `The ticket has cost ${formatUsd(facts.ticketSpentMicroUsd)} of at most ${formatUsd(cap)}.`);
  }
  if (controls.gate === "paused") {
    const until = controls.pausedUntil === undefined ? soon : Math.max(1, Math.min(soon, controls.pausedUntil - now));
    return wait("budget_paused", `The budget is paused: ${controls.reason}`, until);
  }
  if (facts.batch?.gate === "paused") return wait("batch_paused", `The batch is paused: ${facts.batch.reason}`);
  const held =
    facts.batch === undefined || facts.lease !== undefined ? undefined : holdBack(facts.batch, facts.ticketBegun, now, facts.minuteMs);
  if (held !== undefined) return wait(held.hold, held.detail, held.retryAfterMs);

  if (limits.perMinuteCapMicroUsd !== null && facts.spentThisMinuteMicroUsd >= limits.perMinuteCapMicroUsd) {
    const detail = `This minute cost ${formatUsd(facts.spentThisMinuteMicroUsd)} of at most ${formatUsd(limits.perMinuteCapMicroUsd)}.`;
    return wait("minute_cap", detail, facts.minuteMs - (now % facts.minuteMs));
  }
  const own = facts.lease?.reservedMicroUsd ?? 0;
  // What the batch has reserved is there for its tickets.
  const ownBatch = Math.min(facts.batch?.reservedMicroUsd ?? 0, Math.max(0, request.estimateMicroUsd - own));
  const others = facts.committedMicroUsd - own - ownBatch;
  const asked = facts.spentMicroUsd + others + request.estimateMicroUsd;
  if (asked > facts.limitMicroUsd) {
    const detail = `${formatUsd(facts.spentMicroUsd)} spent + ${formatUsd(others)} reserved + ${formatUsd(request.estimateMicroUsd)} estimated = ${formatUsd(asked)}, more than the limit ${formatUsd(facts.limitMicroUsd)}.`;
    return facts.lease === undefined ? wait("budget_exhausted", detail) : stop("budget_exhausted", detail);
  }
  const maxCost = facts.batch?.limits.maxCostMicroUsd ?? null;
  if (maxCost !== null && facts.batch !== undefined) {
    const { spentMicroUsd } = facts.batch;
    const inFlight = Math.max(0, facts.batch.inFlightMicroUsd - own);
    if (spentMicroUsd + inFlight + request.estimateMicroUsd > maxCost) {
      const detail = `${formatUsd(spentMicroUsd)} spent + ${formatUsd(inFlight)} in flight + ${formatUsd(request.estimateMicroUsd)} estimated, more than the batch's limit ${formatUsd(maxCost)}.`;
      return facts.lease === undefined ? wait("batch_exhausted", detail) : stop("batch_exhausted", detail);
    }
  }
  if (facts.lease !== undefined) return { kind: "admit" };

  if (limits.concurrency !== null && facts.running >= limits.concurrency) {
    return wait("concurrency", `${facts.running} tickets are in flight of at most ${limits.concurrency}.`);
  }
  if (limits.ratePerMinute !== null && facts.startedThisMinute >= limits.ratePerMinute) {
    const detail = `${facts.startedThisMinute} tickets were started this minute of at most ${limits.ratePerMinute}.`;
    return wait("rate", detail, facts.minuteMs - (now % facts.minuteMs));
  }
  return { kind: "admit" };
}

function smaller(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
