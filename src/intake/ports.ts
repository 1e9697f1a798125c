import type { Instant } from "../core/clock.ts";
import type { JournalEntry } from "../core/journal.ts";
import type { RunSummary } from "../core/run.ts";
import type { Claim } from "../core/verdict.ts";

/** One continuous firing of one fingerprint, as one runbook sees it. */
export interface Episode {
  readonly runbookId: string;
  readonly fingerprint: string;
  /** The earliest startsAt that any replica reported. */
  readonly startsAt: Instant;
  /** The latest startsAt that belongs to this episode: what a re-fire and a resolve are ordered against. At least `startsAt`. */
  readonly latestStartsAt: Instant;
  /** Set once a resolve was seen. */
  readonly endsAt?: Instant;
  readonly lastSeenAt: Instant;
  /** The run that this episode started or joined. */
  readonly runId?: string;
  /** The run that this episode proposed: equal to `runId` when the run is for this alert, not for another one on the same target. */
  readonly ownRunId?: string;
  /** Starts of this fingerprint's episodes in the last 24 h, this one included, newest last; for the doubling cooldown. */
  readonly recentStarts: readonly Instant[];
  /** Length of `recentStarts`. */
  readonly count: number;
}

/** An episode with the version that a write must name. 0 means: not there yet. */
export interface StoredEpisode {
  readonly version: number;
  readonly episode?: Episode;
}

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
  };
  /** Tell this run that its alert has resolved. */
  readonly resolves?: { readonly runId: string; readonly why: string };
}

/** `conflict`: the episode changed since it was read; read and decide again. */
export type AcceptReply =
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
  accept(writes: readonly AcceptWrite[]): Promise<readonly AcceptReply[]>;
}

/** Pinned runbook bytes, immutable by hash. */
export interface RunbookBytes {
  put(sha256: string, source: string): Promise<void>;
  get(sha256: string): Promise<string | undefined>;
}

/** The doorbell: tells a worker that a run is due. Its loss costs latency only, so it never rejects. */
export interface Doorbell {
  ring(runId: string): void;
}

/** The store did not confirm durability: down, full, read-only or too slow. The webhook answers 503. */
export class StoreUnavailable extends Error {
  constructor(cause: unknown) {
    super("The run store cannot make this durable right now.", { cause });
    this.name = "StoreUnavailable";
  }
}
