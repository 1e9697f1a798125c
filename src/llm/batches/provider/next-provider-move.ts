import type { Instant } from "../../../core/clock.ts";
import { hourMs } from "../../../core/duration.ts";
import type { OpenProviderBatch } from "./open-provider-batch.ts";
import type { ProviderBatchStatus, ProviderFailure, SubmissionSearchResult } from "./provider-batch.ts";

/** How long things may take. */
export interface ProviderTimeouts {
  /** A submission whose sender is silent for so long is looked for. Longer than a request lasts, and than a list may be behind. */
  readonly sendingMs: number;
  /** After a trouble that passes, unless the provider says when. */
  readonly againMs: number;
  /** Results that are missing so long after the end are not waited for any more. */
  readonly resultsMs: number;
}

/** Real time. */
export const defaultTimeouts: ProviderTimeouts = { sendingMs: 180_000, againMs: 30_000, resultsMs: hourMs };

/** What is done about a submission next. `drop`: it was cancelled before the provider had it. */
export type ProviderMove = "wait" | "submit" | "find" | "read" | "drop";

/** The next move from the record alone. Pure. */
export function nextProviderMove(batch: OpenProviderBatch, now: Instant, { sendingMs }: ProviderTimeouts): ProviderMove {
  if (batch.cancel && (batch.state === "ready" || batch.state === "paused")) return "drop";
  if (batch.state === "paused" || now < batch.notBefore) return "wait";
  if (batch.state === "ready") return "submit";
  if (batch.state === "submitted") return "read";
  return now - (batch.startedAt ?? 0) < sendingMs ? "wait" : "find";
}

/** When a submission is tried again after a trouble. */
export interface RetryTiming extends Pick<ProviderTimeouts, "againMs"> {
  readonly now: Instant;
}

/** The record after sending failed. `invalid` ends the whole submission, which is told by undefined. Pure. */
export function afterFailure(
  batch: OpenProviderBatch,
  failure: ProviderFailure,
  { now, againMs }: RetryTiming,
): OpenProviderBatch | undefined {
  const reason = failure.trouble;
  const notBefore = now + Math.max(againMs, failure.retryAfterMs ?? 0);
  switch (failure.trouble) {
    case "spend_limited":
    case "unauthorised":
      return { ...batch, state: "paused", reason };
    case "invalid":
    case "missing":
      return undefined;
    case "unknown_outcome":
      return { ...batch, reason, notBefore };
    case "rate_limited":
    case "unavailable":
    case "not_ready":
    case "nonsense":
      return { ...batch, state: "ready", reason, notBefore };
  }
}

/** The record after a lost submission was looked for. Only a certain "there is none" permits to send it again. Pure. */
export function afterSearch(batch: OpenProviderBatch, result: SubmissionSearchResult, { now, againMs }: RetryTiming): OpenProviderBatch {
  switch (result.kind) {
    case "found":
      return { ...batch, state: "submitted", id: result.id, reason: "", notBefore: now };
    case "none":
      return { ...batch, state: "ready", reason: "", notBefore: now };
    case "unclear":
      return { ...batch, reason: "unknown_outcome", notBefore: now + againMs };
  }
}

/** What a status means: go on waiting, all of its input was refused, or results can be fetched. Pure. */
export function judgeStatus({ state }: ProviderBatchStatus): "wait" | "refused" | "collect" {
  if (state === "failed") return "refused";
  return state === "ended" ? "collect" : "wait";
}
