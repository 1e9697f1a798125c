import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { RunState, RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import type { Instant } from "../core/clock.ts";
import type { FreezeQuery } from "../core/freeze.ts";
import type { Journal } from "../core/journal.ts";
import type { Claim } from "../core/verdict.ts";

/** The right to write into one run: fenced by `token`, lost when another worker claims. */
export interface Lease {
  readonly runId: string;
  readonly token: string;
  readonly epoch: number;
}

/** A claimed run. `stalls` counts claims since the last progress, this one included. */
export interface ClaimedRun {
  readonly lease: Lease;
  readonly journal: Journal;
  /** Hash chain head of `journal`. */
  readonly head: string;
  readonly stalls: number;
  readonly notices: Notices;
  /** Alerts that have joined the run since it was accepted, and what the last of them said. Those that join later wake it when it is released. */
  readonly joined?: { readonly count: number; readonly why: string };
}

/** Why a run could not be claimed. */
export type ClaimRefusal = { readonly refused: "leased" | "ended" | "waiting" | "unknown_run" | "damaged" };

/** What others left for the holder of the lease. */
export interface Notices {
  readonly stop?: { readonly by: string; readonly reason: string };
  readonly resolved?: string;
}

/** One atomic step of the journal: entries, what they claim, and what becomes of the run. */
export interface Append {
  readonly head: string;
  readonly entries: readonly JournalEntry[];
  readonly state: RunState;
  /**
   * What follows, and only if what is written will survive. Before an effect nothing is written when a person has asked for a stop that is not heard yet;
   * an undo is not held back by a stop.
   */
  readonly precedes?: "effect" | "undo";
  /** Nothing is written while a freeze holds this back; the run is woken when a freeze ends. */
  readonly freeze?: FreezeQuery;
  /** Changed fields of the projection. */
  readonly summary: Partial<RunSummary>;
  readonly claims: readonly Claim[];
  /** A question to open together with the entries. */
  readonly question?: Question;
  /** Give the lease back; look again at `dueAt` (absent: only when the run is woken). `at`: when the worker decided so, by its clock; default: now. */
  readonly release?: { readonly dueAt?: Instant; readonly at?: Instant };
  /**
   * Which notices are in the journal already; an unheard one wakes a run that is being released. `joined`: alerts of which the journal says that they joined,
   * 0 when absent; at the end of the run later ones are no longer its own, and start a run when they are notified again.
   */
  readonly recordedNotices: { readonly stop: boolean; readonly resolved: boolean; readonly joined?: number };
  /** At the end of the run: cooldown buckets to fill for a while. */
  readonly cooldowns?: readonly { readonly bucket: string; readonly forMs: number }[];
}

/**
 * `unreplicated`: what is written may not survive the loss of the primary, so no effect and no undo may begin; as a kind of its own nothing was written.
 * `fenced`: the lease is lost, nothing was written. `stopped`: nothing was written, a person wants the run to end. `frozen`: nothing was written, the kill switch is on. `claim_refused`: nothing was written; `holder` is the run that has the lock.
 */
export type AppendResult =
  | { readonly kind: "ok"; readonly head: string; readonly notices: Notices; readonly unreplicated?: boolean }
  | { readonly kind: "unreplicated" }
  | { readonly kind: "fenced" }
  | { readonly kind: "stopped"; readonly notices: Notices }
  | { readonly kind: "frozen"; readonly freeze: Freeze }
  | { readonly kind: "claim_refused"; readonly claim: Claim; readonly holder?: string; readonly retryAt?: Instant };

/** The ledger as a worker sees it. Every write is fenced by the lease's token. */
export interface RunJournal {
  claim(runId: string): Promise<ClaimedRun | ClaimRefusal>;
  append(lease: Lease, append: Append): Promise<AppendResult>;
  /** False: the lease is lost and will not come back. */
  renew(lease: Lease): Promise<{ readonly renewed: boolean; readonly notices: Notices }>;
  /** Length of a lease in milliseconds. */
  readonly leaseMs: number;
  /** Name of the worker, as people know it; absent where there is only one. */
  readonly worker?: string;
}
