import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { CheckSubject, JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import type { Question, QuestionKind } from "../../../packages/sdk/src/wire/questions.ts";
import type { CheckItem, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { Outcome } from "../../../packages/sdk/src/wire/runs.ts";
import type { Instant } from "../../core/clock.ts";
import type { DoneEffect } from "./run-view.ts";

/** An entry without its time and epoch, which the writer adds. */
export type EntryBody = JournalEntry extends infer E ? (E extends JournalEntry ? Omit<E, "at" | "epoch"> : never) : never;

/** What is to be done next; decided by `nextMove`. */
export type Move =
  /** Entries that follow from the journal alone: written together with the next effect. */
  | { readonly kind: "record"; readonly entries: readonly EntryBody[] }
  /** Make one attempt at the step. `resume`: under the recorded intent, with its plan and its key. */
  | { readonly kind: "attempt"; readonly step: Step; readonly resume: boolean }
  /** Ask the target whether a pending effect happened. */
  | { readonly kind: "probe"; readonly step: Step }
  /** Read the effect again, because its Expected does not hold yet. `last`: the time allowed is over, and this reading decides. */
  | { readonly kind: "recheck"; readonly step: Step; readonly last: boolean }
  /** Ask the Alertmanagers whether the alert still fires, before anything is changed. */
  | { readonly kind: "preflight" }
  | { readonly kind: "check"; readonly subject: CheckSubject; readonly item: CheckItem }
  | {
      readonly kind: "ask";
      readonly question: QuestionKind;
      readonly step: Step;
      readonly text: string;
      readonly answers: readonly string[];
    }
  /** Half of the question's time is over: it is announced to more people. */
  | { readonly kind: "escalate"; readonly question: Question }
  /** `until`: of the run's own time; `step`: the id of the step that it waits at; `place`: what it waits at beside the steps, e.g. `Verification 2`. */
  | {
      readonly kind: "suspend";
      readonly until: Instant;
      readonly why: string;
      readonly step?: string;
      readonly place?: string;
      readonly asked: boolean;
    }
  | { readonly kind: "undo"; readonly step: Step; readonly effect: DoneEffect }
  | { readonly kind: "finish"; readonly outcome: Outcome; readonly reason: string; readonly failure?: Failure }
  | { readonly kind: "ended" };

/** The moves of one kind. */
export type MoveOf<Kind extends Move["kind"]> = Extract<Move, { readonly kind: Kind }>;

/** Durations of the state machine, in milliseconds. */
export interface Intervals {
  /** How long an effect of class `probed` may still be under way after its intent. */
  readonly quarantineMs: number;
  /** Between two tries of a prerequisite, or of the question about the alert, that could not be seen. */
  readonly prerequisiteRetryMs: number;
  /** How old the answer to "does the alert still fire?" may be when the first change begins. */
  readonly preflightMaxAgeMs: number;
}

/** What this process is able to find out; the same for all its runs. */
export interface Capabilities {
  /** Whether an Alertmanager is configured. */
  readonly canAskAlertmanager: boolean;
  /** Whether the step's action changes anything. */
  mutates(step: Step): boolean;
}

/** What a decision takes into account beside the document and the journal. */
export interface MoveContext {
  /** The run's own time, see `runTimeOf`. */
  readonly now: Instant;
  readonly intervals: Intervals;
  readonly capabilities: Capabilities;
}

/** Durations as promised. */
export const defaultIntervals: Intervals = { quarantineMs: 10_000, prerequisiteRetryMs: 5_000, preflightMaxAgeMs: 30_000 };

/** A move that records these entries. */
export function record(...entries: EntryBody[]): Move {
  return { kind: "record", entries };
}

/** The end of the run proper; Post-Action follows. */
export function conclude(outcome: Outcome, reason: string, failure?: Failure): Move {
  return record({ kind: "concluded", outcome, reason, ...(failure !== undefined && { failure }) });
}

/** Undoes what was done, the last effect first; then the run ends with `outcome`. */
export function undoAll(why: string, outcome: Outcome): Move {
  return record({ kind: "undo_started", why, outcome });
}

/** Milliseconds between the readings of what may take `withinMs`: about twenty readings. */
export function pollEvery(withinMs: number): number {
  return Math.min(15_000, Math.max(200, withinMs / 20));
}
