import { type BatchLimits, type BatchState, batchLimitsSchema } from "../../../packages/sdk/src/wire/batches.ts";
import type { Instant } from "../../core/clock.ts";
import { formatUsd, type MicroUsd } from "../../core/money.ts";
import { formatShare } from "../../core/share.ts";

/** All that an admission looks at of a ticket's batch. */
export interface BatchFacts {
  readonly state: BatchState;
  readonly gate: "open" | "paused";
  readonly reason: string;
  /** With `concurrency` as adapted. */
  readonly limits: BatchLimits;
  readonly spentMicroUsd: MicroUsd;
  /** Reserved by the leases of all its tickets in flight. */
  readonly inFlightMicroUsd: MicroUsd;
  /** Reserved for the batch and taken by no lease. */
  readonly reservedMicroUsd: MicroUsd;
  readonly running: number;
  readonly startedThisMinute: number;
  /** Tickets that have ever begun, and of these the ones that have ended. */
  readonly begun: number;
  readonly begunEnded: number;
  readonly succeeded: number;
  /** Failed, dead or set aside; cancelled ones say nothing. */
  readonly unsuccessful: number;
  /** The leading group has proven itself. */
  readonly pilotPassed: boolean;
}

/** Why no ticket of a batch begins now; a closed set, a part of the admission's. */
export type BatchBlockReason =
  | "batch_draft"
  | "batch_leading"
  | "batch_leading_failed"
  | "batch_failures"
  | "batch_deadline"
  | "batch_concurrency"
  | "batch_rate";

/** What of the leading group must succeed before the rest follows. */
export const minPilotSuccessRatio = 0.6;

/** Where a batch's leading group stands. */
export function pilotVerdict(
  batch: Pick<BatchFacts, "pilotPassed" | "succeeded" | "unsuccessful"> & { readonly limits: Pick<BatchLimits, "pilotTickets"> },
): "passed" | "running" | "failed" {
  const { pilotTickets } = batch.limits;
  if (pilotTickets === 0 || batch.pilotPassed) return "passed";
  const judged = batch.succeeded + batch.unsuccessful;
  if (judged < pilotTickets) return "running";
  return batch.succeeded / judged >= minPilotSuccessRatio ? "passed" : "failed";
}

/** Why a batch has stopped admitting until somebody changes something; undefined while it has not. */
export function stopOf(
  batch: Pick<BatchFacts, "pilotPassed" | "succeeded" | "unsuccessful" | "spentMicroUsd" | "limits">,
  now: Instant,
): { readonly hold: BatchBlockReason | "batch_exhausted"; readonly detail: string } | undefined {
  const { limits, succeeded, unsuccessful, spentMicroUsd } = batch;
  if (limits.deadlineAt !== null && now >= limits.deadlineAt) {
    return { hold: "batch_deadline", detail: `The batch's deadline ${new Date(limits.deadlineAt).toISOString()} has passed.` };
  }
  if (limits.maxCostMicroUsd !== null && spentMicroUsd >= limits.maxCostMicroUsd) {
    return {
      hold: "batch_exhausted",
      detail: `The batch has cost ${formatUsd(spentMicroUsd)} of at most ${formatUsd(limits.maxCostMicroUsd)}.`,
    };
  }
  const judged = succeeded + unsuccessful;
  if (judged >= limits.minForRatio && unsuccessful / judged >= limits.maxFailureRatio) {
    return {
      hold: "batch_failures",
      detail: `${unsuccessful} of ${judged} tickets were not successful; the batch stops at ${formatShare(limits.maxFailureRatio, { decimals: 0 })}.`,
    };
  }
  if (pilotVerdict(batch) === "failed") {
    return {
      hold: "batch_leading_failed",
      detail: `Only ${succeeded} of the ${judged} leading tickets succeeded; ${formatShare(minPilotSuccessRatio, { decimals: 0 })} must before the rest begins.`,
    };
  }
  return undefined;
}

/** A place among a batch's tickets is free again sooner than what waits for a person; only as many tickets as are fed ask. */
const placeAgainMs = 500;

/** Why a ticket without a lease does not begin now. One that has begun before belongs to no leading group. Pure. */
export function blockOf(
  batch: BatchFacts,
  { ticketBegun, minuteMs }: { readonly ticketBegun: boolean; readonly minuteMs: number },
  now: Instant,
): { readonly hold: BatchBlockReason; readonly detail: string; readonly retryAfterMs?: number } | undefined {
  const { limits } = batch;
  if (batch.state === "draft") return { hold: "batch_draft", detail: "The batch has not been submitted." };
  const stop = stopOf(batch, now);
  // Whether the money suffices is the admission's own question, which sees the estimate too.
  if (stop !== undefined && stop.hold !== "batch_exhausted") return { ...stop, hold: stop.hold };
  if (
    !ticketBegun &&
    pilotVerdict(batch) === "running" &&
    batch.succeeded + batch.unsuccessful + batch.begun - batch.begunEnded >= limits.pilotTickets
  ) {
    return {
      hold: "batch_leading",
      detail: `The first ${limits.pilotTickets} tickets go ahead; the rest follows when they have succeeded.`,
    };
  }
  if (limits.concurrency !== null && batch.running >= limits.concurrency) {
    const detail = `${batch.running} tickets of the batch are in flight of at most ${limits.concurrency}.`;
    return { hold: "batch_concurrency", detail, retryAfterMs: placeAgainMs };
  }
  if (limits.ratePerMinute !== null && batch.startedThisMinute >= limits.ratePerMinute) {
    return {
      hold: "batch_rate",
      detail: `${batch.startedThisMinute} tickets of the batch were started this minute of at most ${limits.ratePerMinute}.`,
      retryAfterMs: minuteMs - (now % minuteMs),
    };
  }
  return undefined;
}

/** Limits as they are stored; a batch that an older version stored has none but those it knew. */
export function readLimits(stored: string): BatchLimits {
  return stored === "" ? batchLimitsSchema.parse({ pilotTickets: 0 }) : batchLimitsSchema.parse(JSON.parse(stored));
}
