import type { Action, BoundAction, Plan } from "../core/action.ts";
import type { Alert } from "../core/alert.ts";
import type { Instant } from "../core/clock.ts";
import type { Freeze, FreezeQuery } from "../core/freeze.ts";
import type { Journal, JournalEntry } from "../core/journal.ts";
import type { Question } from "../core/question.ts";
import type { RunState, RunSummary } from "../core/run.ts";
import type { Claim, Verdict } from "../core/verdict.ts";
import type { Runbook, Step } from "../runbook/runbook.ts";

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
}

/** Why a run could not be claimed. */
export type ClaimRefusal = { readonly refused: "held" | "ended" | "waiting" | "unknown_run" | "damaged" };

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
  /** An effect follows: nothing is written when somebody has asked for a stop that is not heard yet. */
  readonly effect?: boolean;
  /** Nothing is written while a freeze holds this back; the run is woken when a freeze ends. */
  readonly freeze?: FreezeQuery;
  /** Changed fields of the projection. */
  readonly summary: Partial<RunSummary>;
  readonly claims: readonly Claim[];
  /** A question to open together with the entries. */
  readonly question?: Question;
  /** Give the lease back; look again at `dueAt` (absent: only when somebody wakes the run). */
  readonly release?: { readonly dueAt?: Instant };
  /** Which notices are in the journal already; an unheard one wakes a run that is being released. */
  readonly heard: { readonly stop: boolean; readonly resolved: boolean };
  /** At the end of the run: cooldown buckets to fill for a while. */
  readonly cooldowns?: readonly { readonly bucket: string; readonly forMs: number }[];
}

/**
 * `unreplicated`: what is written may not survive the loss of the primary, so no effect may begin; as a kind of its own nothing was written.
 * `fenced`: the lease is lost, nothing was written. `stopped`: nothing was written, a person wants the run to end. `frozen`: nothing was written, the kill switch is on. `claim_refused`: nothing was written; `holder` is the run that has the lock.
 */
export type AppendReply =
  | { readonly kind: "ok"; readonly head: string; readonly notices: Notices; readonly unreplicated?: boolean }
  | { readonly kind: "unreplicated" }
  | { readonly kind: "fenced" }
  | { readonly kind: "stopped"; readonly notices: Notices }
  | { readonly kind: "frozen"; readonly freeze: Freeze }
  | { readonly kind: "claim_refused"; readonly claim: Claim; readonly holder?: string; readonly retryAt?: Instant };

/** The ledger as a worker sees it. Every write is fenced by the lease's token. */
export interface RunLedger {
  claim(runId: string): Promise<ClaimedRun | ClaimRefusal>;
  append(lease: Lease, append: Append): Promise<AppendReply>;
  /** False: the lease is lost and will not come back. */
  renew(lease: Lease): Promise<{ readonly held: boolean; readonly notices: Notices }>;
  /** Length of a lease in milliseconds. */
  readonly leaseMs: number;
}

/** Pinned documents, parsed; memory first. `undefined`: gone, or the bytes do not have this hash, or they no longer parse. */
export interface PinnedRunbooks {
  get(sha256: string, runbookId: string): Promise<Runbook | undefined>;
}

/** Prometheus, as the engine needs it. */
export interface MetricSource {
  query(
    promql: string,
    at: Instant | undefined,
    signal: AbortSignal,
  ): Promise<
    | {
        readonly kind: "samples";
        readonly samples: readonly { readonly labels: { readonly [name: string]: string }; readonly value: number; readonly at: Instant }[];
      }
    | { readonly kind: "unavailable"; readonly reason: string }
  >;
}

/**
 * How an alert stands. `gone`: no Alertmanager that could be asked holds it any more. `unknown`: nobody could say.
 * `detail` is one sentence without its end, for the journal.
 */
export interface StandingSeen {
  readonly kind: "firing" | "silenced" | "gone" | "unknown";
  readonly detail: string;
}

/** Asks the Alertmanagers how an alert stands. Rejects only with the signal's reason. */
export interface AlertStanding {
  ask(alert: Pick<Alert, "fingerprint" | "labels">, signal: AbortSignal): Promise<StandingSeen>;
}

/** One mutating step that wants to happen. */
export interface Candidate {
  readonly runId: string;
  readonly runbook: Runbook;
  readonly step: Step;
  readonly action: BoundAction;
  readonly plan: Plan;
  readonly mode: RunSummary["mode"];
  readonly target: string | undefined;
  /** A person has already permitted exactly this plan. */
  readonly approved: boolean;
  /** Targets that this run has raised already, by its intents. */
  readonly raised: readonly string[];
  /** Nobody asked for this run: an alert started it. */
  readonly byMachine: boolean;
  /** Of the alert that started the run. */
  readonly fingerprint?: string;
  readonly alertName?: string;
}

/** What the engine tells telemetry; never throws, never awaited. */
export interface EngineObserver {
  /** `idleMs`: how long nobody had worked on a run that was in the middle of its work. */
  claimed(run: { readonly runId: string; readonly runbookId: string; readonly stalls: number; readonly idleMs?: number }): void;
  stepEnded(step: {
    readonly runId: string;
    readonly stepId: string;
    readonly action: string;
    readonly outcome: "completed" | "failed" | "in_doubt";
    readonly ms: number;
    /** What the plan touches. */
    readonly targets: readonly string[];
  }): void;
  firstEffect(afterAcceptMs: number): void;
  refused(guardrail: string): void;
  fenced(runId: string): void;
  ended(run: { readonly runId: string; readonly runbookId: string; readonly outcome: string; readonly ms: number }): void;
}

/** Everything the engine needs from the world. */
export interface EngineDeps {
  readonly ledger: RunLedger;
  readonly runbooks: PinnedRunbooks;
  readonly actions: { find(name: string): Action | undefined };
  readonly guard: (candidate: Candidate, now: Instant) => Verdict | Promise<Verdict>;
  readonly metrics: MetricSource;
  /** Absent: no Alertmanager is configured, so that nobody can be asked before a run begins to change things. */
  readonly standing?: AlertStanding;
  readonly observer: EngineObserver;
  /** Every freeze that stands in the ledger; looked at while an effect is under way. Absent: an effect under way is not cut. */
  readonly freezes?: () => Promise<readonly Freeze[]>;
  /** The freeze that stands outside of the ledger (a file); looked at before every effect. Absent: there is no such place. */
  readonly frozen?: () => Promise<Freeze | undefined>;
  /**
   * Tells people that a question waits for them; `escalated`: again and to more people, because half of its time is over.
   * Called before the run is suspended; a rejection is told to nobody and changes nothing.
   */
  readonly announce: (question: Question, runbook: Runbook, escalated: boolean) => Promise<void>;
}
