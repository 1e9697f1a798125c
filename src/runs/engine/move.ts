import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { CheckSubject, JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import type { Question, QuestionKind } from "../../../packages/sdk/src/wire/questions.ts";
import type { CheckItem, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { Outcome } from "../../../packages/sdk/src/wire/runs.ts";
import type { Instant } from "../../core/clock.ts";
import type { DoneEffect } from "./run-view.ts";

/** An entry without its time and epoch, which the writer adds. */
export type EntryBody = JournalEntry extends infer E ? (E extends JournalEntry ? Omit<E, "at" | "epoch"> : never) : never;

/** What is to be done next; see `nextMove`. */
export type Move =
  /** Pure consequences of what is known: written together with the next effect. */
  | { readonly kind: "record"; readonly entries: readonly EntryBody[] }
  /** Plan, guard, intent, effect. `resume`: the recorded intent goes on with its own plan and key. */
  | { readonly kind: "attempt"; readonly step: Step; readonly resume: boolean }
  /** Ask the target whether a pending effect happened. */
  | { readonly kind: "probe"; readonly step: Step }
  /** Read the effect again, because its Expected does not hold yet. `last`: the time is over, this look decides. */
  | { readonly kind: "recheck"; readonly step: Step; readonly last: boolean }
  /** Ask how the alert stands, before anything is changed. */
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
  | { readonly kind: "suspend"; readonly until: Instant; readonly why: string; readonly step?: string; readonly asked: boolean }
  | { readonly kind: "undo"; readonly step: Step; readonly effect: DoneEffect }
  | { readonly kind: "finish"; readonly outcome: Outcome; readonly reason: string; readonly failure?: Failure }
  | { readonly kind: "ended" };

/** The moves of one kind. */
export type MoveOf<Kind extends Move["kind"]> = Extract<Move, { readonly kind: Kind }>;

/** Numbers that tests shorten. */
export interface Pace {
  /** How long an effect of class P may still be under way after its intent. */
  readonly quarantineMs: number;
  /** Between two looks at a prerequisite, or at the alert, that could not be seen. */
  readonly prerequisiteEveryMs: number;
  /** How old the answer to "does the alert still fire?" may be when the first change begins. */
  readonly preflightFreshMs: number;
}

/** What this process can see; the same for all its runs. */
export interface Sight {
  /** Whether there is an Alertmanager to ask about an alert. */
  readonly alerts: boolean;
  /** Whether the step's action changes anything. */
  mutates(step: Step): boolean;
}

/** Durations as promised. */
export const defaultPace: Pace = { quarantineMs: 10_000, prerequisiteEveryMs: 5_000, preflightFreshMs: 30_000 };

/** Entries that follow from what is known. */
export function record(...entries: EntryBody[]): Move {
  return { kind: "record", entries };
}

/** The end of the run proper; Post-Action follows. */
export function conclude(outcome: Outcome, reason: string, failure?: Failure): Move {
  return record({ kind: "concluded", outcome, reason, ...(failure !== undefined && { failure }) });
}

/** Takes back what was done, the last first; then the run ends with `outcome`. */
export function undoAll(why: string, outcome: Outcome): Move {
  return record({ kind: "undo_started", why, outcome });
}

/** Milliseconds between looks at what may take `withinMs`: about twenty looks. */
export function pollEvery(withinMs: number): number {
  return Math.min(15_000, Math.max(200, withinMs / 20));
}
