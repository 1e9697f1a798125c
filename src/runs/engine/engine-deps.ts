import type { Freeze } from "../../../packages/sdk/src/wire/freezes.ts";
import type { Question } from "../../../packages/sdk/src/wire/questions.ts";
import type { Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { Action } from "../../core/action.ts";
import type { Instant } from "../../core/clock.ts";
import type { EventSink } from "../../core/event.ts";
import type { Verdict } from "../../core/verdict.ts";
import type { PinnedRunbooks } from "../pinned-runbooks.ts";
import type { RunJournal } from "../store.ts";
import type { AlertStanding } from "./alert-standing.ts";
import type { Candidate } from "./candidate.ts";
import type { MetricSource } from "./metric-source.ts";
import type { RunEvent } from "./run-event.ts";

/** Everything the engine needs from the world. */
export interface EngineDeps {
  readonly journal: RunJournal;
  readonly runbooks: PinnedRunbooks;
  readonly actions: { find(name: string): Action | undefined };
  readonly guard: (candidate: Candidate, now: Instant) => Verdict | Promise<Verdict>;
  readonly metrics: MetricSource;
  /** Absent: no Alertmanager is configured, and runs begin to change things without asking whether the alert still fires. */
  readonly standing?: AlertStanding;
  readonly publish: EventSink<RunEvent>;
  /** Every freeze that stands in the ledger; looked at while an effect is under way. Absent: an effect under way is not cut. */
  readonly freezes?: () => Promise<readonly Freeze[]>;
  /** The freeze that stands outside of the ledger (a file); looked at before every effect. Absent: there is no such place. */
  readonly frozen?: () => Promise<Freeze | undefined>;
  /**
   * Tells people that a question waits for them; `escalated`: again and to more people, because half of its time is over.
   * Called before the run is suspended; a rejection is ignored.
   */
  readonly announce: (question: Question, runbook: Runbook, escalated: boolean) => Promise<void>;
}
