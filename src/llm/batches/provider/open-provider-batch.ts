import type { Instant } from "../../../core/clock.ts";
import type { MicroUsd } from "../../../core/money.ts";
import type { ItemVerdict, SubmittedItem } from "./reconcile-results.ts";

/**
 * `ready` is to be submitted · `submitting`: it is being sent, or the answer was lost · `submitted`: the provider has it · `paused`: it waits for a person,
 * because money or permission is missing.
 */
export const openStates = ["ready", "submitting", "submitted", "paused"] as const;

/** One submission to a provider that is not settled yet. */
export interface OpenProviderBatch {
  /** Names the submission for ever: the same key is never submitted twice. */
  readonly key: string;
  readonly provider: string;
  /** The batch of ours that its tickets belong to. */
  readonly batchId: string;
  readonly items: readonly SubmittedItem[];
  readonly state: (typeof openStates)[number];
  /** Why it is held, or what went wrong last. */
  readonly reason: string;
  /** Nothing happens to it before. */
  readonly notBefore: Instant;
  /** When sending began. */
  readonly startedAt?: Instant;
  /** The provider's id. */
  readonly id?: string;
  /** When it ended at the provider; its results wait since then. */
  readonly endedAt?: Instant;
  /** It is to be cancelled as soon as its id is known. */
  readonly cancel: boolean;
  /** Grows with every change. */
  readonly revision: number;
}

/** A submission that was settled: every item of it had its verdict applied. */
export interface ClosedProviderBatch {
  readonly key: string;
  readonly provider: string;
  readonly batchId: string;
  readonly startedAt: Instant;
  /** When it ended at the provider. */
  readonly endedAt: Instant;
  readonly closedAt: Instant;
  readonly counts: { readonly [Kind in ItemVerdict["kind"]]: number };
  readonly costMicroUsd: MicroUsd;
  readonly unpriced: number;
  readonly unknownIds: number;
  readonly doubleIds: number;
  readonly conflictingIds: number;
  readonly unreadableLines: number;
}

/** How our count of batches stood to a provider's when it was last compared. */
export interface ProviderDelta {
  readonly provider: string;
  readonly at: Instant;
  readonly oursMicroUsd: MicroUsd;
  readonly providerMicroUsd: MicroUsd;
  /** Undefined: the provider shows no cost while we counted some. */
  readonly deltaRatio?: number;
}

/** Where submissions are kept. Every write is a compare-and-set, so that any number of processes may look after them. */
export interface ProviderBatchStore {
  /** `known`: a submission of this key is or was there. */
  open(batch: OpenProviderBatch): Promise<"opened" | "known">;
  list(): Promise<readonly OpenProviderBatch[]>;
  /** Writes the batch if its revision is still the one that it carries, and raises it. */
  put(batch: OpenProviderBatch): Promise<OpenProviderBatch | undefined>;
  /** Closes it, if its revision is still this one. */
  close(batch: OpenProviderBatch, closed: ClosedProviderBatch): Promise<boolean>;
  /** Newest last; kept for 35 days, longer than providers keep results. */
  closed(): Promise<readonly ClosedProviderBatch[]>;
  putDelta(delta: ProviderDelta): Promise<void>;
  deltas(): Promise<readonly ProviderDelta[]>;
}
