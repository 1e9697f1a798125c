import type { Batch, BatchEstimate, BatchHead, BatchLimits, BatchState } from "../../../packages/sdk/src/wire/batches.ts";
import type { MicroUsd } from "../../core/money.ts";
import type { ConcurrencyState } from "./adapt-concurrency.ts";

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
export type SubmitResult =
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
  /** Batches that the reconciler must poll: submitted or cancelled, and not ended. */
  active(): Promise<readonly string[]>;
  /** With a version it is a compare-and-set. A batch that is through, or cancelled, takes no change. */
  change(id: string, change: BatchChange, expectedVersion?: number): Promise<"set" | "conflict" | "missing" | "over">;
  /** Makes a draft of exactly `estimate.tickets` tickets run, and reserves its 90th percentile, in one step. */
  submit(id: string, estimate: BatchEstimate): Promise<SubmitResult>;
  /** Tickets that are to enter the queue next, so that `upTo` of the batch have; the same again until `fed` notes them. */
  nextToEnqueue(id: string, upTo: number): Promise<readonly string[]>;
  /** Records how many tickets are in the queue. */
  setEnqueued(id: string, count: number): Promise<void>;
  /** Gives back what is still reserved and ends the batch, if every ticket of it has ended. */
  settle(id: string): Promise<boolean>;
  /** What the last tickets of a kind cost, newest first, at most 500. */
  costs(kind: string): Promise<readonly MicroUsd[]>;
  /** Tickets of the batch that ended, by slot of 10 s. */
  endedBySlot(id: string): Promise<ReadonlyMap<number, number>>;
}
