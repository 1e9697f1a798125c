import { z } from "zod";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import type { Instant } from "../../../core/clock.ts";
import { sha256 } from "../../../core/json.ts";
import type { PartitionResult } from "../../usage/token-partition.ts";

/** An id that every provider accepts for an item: letters, digits, `_` and `-`, at most 64. */
export const customIdSchema = z.string().regex(/^[\w-]{1,64}$/, "an id of 1 to 64 letters, digits, _ and -");

/**
 * The custom id of a ticket in one submission. It holds the submission's key, so that a single id found at the provider proves whose batch it is,
 * and a result of an earlier submission can never be taken for one of this.
 */
export function customIdOf(submissionKey: string, ticketId: string): string {
  return sha256(`${submissionKey}\n${ticketId}`).slice(0, 40);
}

/** One request of a provider batch. */
export interface ProviderBatchItem {
  readonly customId: string;
  /** The body of one single request in the provider's own shape: Messages at Anthropic, chat completions at OpenAI. Never streamed. */
  readonly body: { readonly [field: string]: Json };
}

/** What is handed to a provider. */
export interface ProviderSubmission {
  /** Names this submission for ever; sent along where the provider keeps such a name. */
  readonly key: string;
  /** 1 to 50 000; custom ids are unique. */
  readonly items: readonly ProviderBatchItem[];
}

/**
 * `validating`: the provider looks at the input · `running` · `cancelling`: what is in flight may still succeed and is billed · `ended`: results
 * can be read, also of a batch that was cancelled or expired · `failed`: the input was refused after it had been accepted, and nothing ran.
 */
export const providerBatchStates = ["validating", "running", "cancelling", "ended", "failed"] as const;

/** See {@link providerBatchStates}. */
export type ProviderBatchState = (typeof providerBatchStates)[number];

/** A fault of the input that a provider told after accepting it. */
export interface InputFault {
  readonly code: string;
  readonly message: string;
  /** Line of the input, from 1, where the provider says so. */
  readonly line?: number;
}

/** A provider batch as its provider shows it. */
export interface ProviderBatchStatus {
  readonly id: string;
  readonly state: ProviderBatchState;
  /** Items that the provider counts; 0 while it has not counted. */
  readonly items: number;
  /** Items that have ended. Absent while the provider does not tell: Anthropic counts only when the whole batch has ended. */
  readonly endedItems?: number;
  readonly createdAt: Instant;
  readonly endedAt?: Instant;
  /** When the provider gives up on items that it has not begun. */
  readonly expiresAt?: Instant;
  /** Of a `failed` batch. */
  readonly faults: readonly InputFault[];
  /** What has become of an item that the results of an ended batch do not name; absent when each is named. */
  readonly unnamed?: "canceled" | "expired";
}

/** Why one item has no answer. `provider_spend_limit`: no retry helps until the limit is raised. */
export const itemErrorClasses = [
  "provider_rate_limit",
  "provider_overload",
  "provider_error",
  "provider_spend_limit",
  "context_overflow",
  "invalid_request",
  "permission",
  "unknown",
] as const;

/** See {@link itemErrorClasses}. */
export type ItemErrorClass = (typeof itemErrorClasses)[number];

/** Whether the same item may succeed if it is submitted again as it is. An error that nobody knows is not tried again. */
export function isRetryable(errorClass: ItemErrorClass): boolean {
  return errorClass === "provider_rate_limit" || errorClass === "provider_overload" || errorClass === "provider_error";
}

/** How one item ended. */
export type ItemOutcome =
  | {
      readonly kind: "succeeded";
      /** The model that answered. */
      readonly model: string;
      /** What it used, as one partition, or why that cannot be read. */
      readonly usage: PartitionResult;
      /** The provider declined to answer: a person decides; it is billed all the same. */
      readonly isRefusal: boolean;
      /** The provider's id of the answer; usage is counted once by it. */
      readonly answerId: string;
      /** The whole answer in the provider's shape. */
      readonly answer: Json;
    }
  | { readonly kind: "errored"; readonly errorClass: ItemErrorClass; readonly message: string }
  | { readonly kind: "canceled" }
  | { readonly kind: "expired" };

/** One line of results: an item's outcome, or a line that cannot be read. Order means nothing, and an id may come twice or be unknown. */
export type ProviderResult =
  | { readonly kind: "item"; readonly customId: string; readonly outcome: ItemOutcome }
  | { readonly kind: "unreadable"; readonly line: number; readonly detail: string };

/** Why a provider did not do what it was asked. */
export const providerTroubles = [
  "spend_limited", // Out of money: no retry helps.
  "rate_limited", // Later; nothing was done.
  "unavailable", // The provider cannot now; nothing was done.
  "unknown_outcome", // The connection broke after the request was sent: it may have been done.
  "invalid", // The request was refused for good.
  "unauthorised", // The key is missing, wrong or not permitted.
  "missing", // There is no such batch.
  "not_ready", // The batch has not ended: there are no results yet.
  "nonsense", // The answer is none that this provider's documentation knows.
] as const;

/** See {@link providerTroubles}. */
export type ProviderTrouble = (typeof providerTroubles)[number];

/** What every method of a port rejects with when the provider did not do it. The message holds no key and no body. */
export class ProviderFailure extends Error {
  readonly trouble: ProviderTrouble;
  /** Earliest useful retry. */
  readonly retryAfterMs: number | undefined;
  constructor(trouble: ProviderTrouble, message: string, retryAfterMs?: number) {
    super(message);
    this.name = "ProviderFailure";
    this.trouble = trouble;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * What a search for a submission came to whose answer was lost. `unclear`: a batch at the provider may be it, and will tell once it has ended;
 * it is neither adopted nor submitted again until then.
 */
export type SubmissionSearchResult =
  | { readonly kind: "found"; readonly id: string }
  | { readonly kind: "none" }
  | { readonly kind: "unclear"; readonly candidates: readonly string[] };

/** What a search goes by. */
export interface SubmissionTrace {
  readonly key: string;
  readonly customIds: readonly string[];
  /** When the submission began, by our clock. */
  readonly since: Instant;
  /** Batches at this provider that are known to be others. */
  readonly known: readonly string[];
}

/** The batch interface of one provider. Every method rejects with {@link ProviderFailure}, or with the reason of its signal, and with nothing else. */
export interface ProviderBatches {
  /** OTel's provider name, e.g. `anthropic`. */
  readonly provider: string;
  /**
   * Hands items over and answers the provider's id. After `unknown_outcome` the batch may exist: `find` it before submitting again. Input errors
   * may be told later, by a `failed` batch.
   */
  submit(submission: ProviderSubmission, signal?: AbortSignal): Promise<string>;
  /** Looks for a submission whose answer was lost. */
  find(trace: SubmissionTrace, signal?: AbortSignal): Promise<SubmissionSearchResult>;
  read(id: string, signal?: AbortSignal): Promise<ProviderBatchStatus>;
  /** Streams the results of an ended batch, in any order. Rejects with `not_ready` before. What was yielded before it rejects is true. */
  results(id: string, signal?: AbortSignal): AsyncIterable<ProviderResult>;
  /** Asks for the end. Cannot be undone: what has been answered is billed, and what is in flight may still be. A batch that has ended stays as it is. */
  cancel(id: string, signal?: AbortSignal): Promise<void>;
}

/** What a provider says that batches cost; for comparison with what we counted. */
export interface ProviderCostReport {
  readonly provider: string;
  /**
   * The cost in micro-USD of the batch tier on whole UTC days from `from` until before `until`. Providers are late by minutes, and tell days only.
   * Rejects with {@link ProviderFailure}.
   */
  batchCost(from: Instant, until: Instant, signal?: AbortSignal): Promise<number>;
}
