import type { AdmissionReason, AdmissionRequest } from "../../../packages/sdk/src/wire/admissions.ts";
import type { BudgetControls } from "../../../packages/sdk/src/wire/budgets.ts";
import type { Instant } from "../../core/clock.ts";
import { formatUsd, type MicroUsd } from "../../core/money.ts";
import { type BatchFacts, blockOf } from "./batch-admission.ts";

/** What a stopped ticket becomes: it waits for a change of its budget, or it has ended. */
export function afterStop(reason: AdmissionReason): "waiting" | "dead" | "cancelled" {
  if (reason === "attempts_exhausted") return "dead";
  return reason === "ticket_cancelled" || reason === "batch_cancelled" ? "cancelled" : "waiting";
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
  const block = facts.batch === undefined || facts.lease !== undefined ? undefined : blockOf(facts.batch, facts, now);
  if (block !== undefined) return wait(block.hold, block.detail, block.retryAfterMs);

  if (limits.perMinuteCapMicroUsd !== null && facts.spentThisMinuteMicroUsd >= limits.perMinuteCapMicroUsd) {
    const detail = `This minute cost ${formatUsd(facts.spentThisMinuteMicroUsd)} of at most ${formatUsd(limits.perMinuteCapMicroUsd)}.`;
    return wait("minute_cap", detail, facts.minuteMs - (now % facts.minuteMs));
  }
  const reservedByLease = facts.lease?.reservedMicroUsd ?? 0;
  // What the batch has reserved is there for its tickets.
  const reservedByBatch = Math.min(facts.batch?.reservedMicroUsd ?? 0, Math.max(0, request.estimateMicroUsd - reservedByLease));
  const others = facts.committedMicroUsd - reservedByLease - reservedByBatch;
  const asked = facts.spentMicroUsd + others + request.estimateMicroUsd;
  if (asked > facts.limitMicroUsd) {
    const detail = `${formatUsd(facts.spentMicroUsd)} spent + ${formatUsd(others)} reserved + ${formatUsd(request.estimateMicroUsd)} estimated = ${formatUsd(asked)}, more than the limit ${formatUsd(facts.limitMicroUsd)}.`;
    return facts.lease === undefined ? wait("budget_exhausted", detail) : stop("budget_exhausted", detail);
  }
  const maxCost = facts.batch?.limits.maxCostMicroUsd ?? null;
  if (maxCost !== null && facts.batch !== undefined) {
    const { spentMicroUsd } = facts.batch;
    const inFlight = Math.max(0, facts.batch.inFlightMicroUsd - reservedByLease);
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
