import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import type { Instant } from "../core/clock.ts";
import type { Claim } from "../core/verdict.ts";
import type { Episode, StoredEpisode } from "./episode.ts";

/** What intake decided for one alert, to be made true atomically. */
export interface AcceptWrite {
  readonly runbookId: string;
  readonly fingerprint: string;
  readonly expectedVersion: number;
  readonly episode: Episode;
  /**
   * Start a run, or join the run that is open for (runbook, target): then the stored episode gets the open run's id and no claim is taken.
   * A refused claim and a freeze write nothing at all.
   */
  readonly run?: {
    readonly id: string;
    readonly summary: RunSummary;
    readonly accepted: JournalEntry & { readonly kind: "accepted" };
    /** Hash of (runbook, target): at most one open run each. */
    readonly openKey: string;
    /** Cooldowns and rates of the run as a whole. */
    readonly claims: readonly Claim[];
    /** What the journal of the open run says when it is joined instead; absent: it says nothing. */
    readonly joining?: string;
  };
  /** Tell this run that its alert has resolved. */
  readonly resolves?: { readonly runId: string; readonly why: string };
}

/** `conflict`: the episode changed since it was read; read and decide again. */
export type AcceptResult =
  | { readonly kind: "created"; readonly runId: string }
  | { readonly kind: "joined"; readonly runId: string }
  | { readonly kind: "updated" }
  | { readonly kind: "conflict" }
  | { readonly kind: "refused"; readonly claim: string; readonly retryAt?: Instant }
  | { readonly kind: "frozen"; readonly reason: string };

/** Episodes and the one atomic accept. A promise that resolves means: durable. It rejects with `StoreUnavailable` when that cannot be said. */
export interface AcceptStore {
  /** In one round trip, in the order asked. What it answers is durable as well: a duplicate is answered 202 without another write. */
  read(keys: readonly { readonly runbookId: string; readonly fingerprint: string }[]): Promise<readonly StoredEpisode[]>;
  /** Each write is atomic; the replies are in order. The runbook's bytes must have been stored before (`RunbookBytes.put`). */
  accept(writes: readonly AcceptWrite[]): Promise<readonly AcceptResult[]>;
}
