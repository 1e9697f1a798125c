import type { JournalEntry, Truth } from "../../packages/sdk/src/wire/journal.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { Effect, Plan } from "../../packages/sdk/src/wire/plans.ts";

/** One entry without its time. */
type Untimed = JournalEntry extends infer Each ? (Each extends JournalEntry ? Omit<Each, "at"> : never) : never;

/** What an attempt means to do; everything that is not said is harmless. */
export interface Intended extends Partial<Omit<Plan, "summary">> {
  readonly action: string;
  readonly effect?: Effect;
  readonly attempt?: number;
  readonly summary?: string;
}

/** Entries of one step; `afterMs` passes before each. */
export interface StepJournal {
  intent(afterMs: number, intended: Intended): void;
  failed(afterMs: number, message: string, attempt?: number): void;
  applied(afterMs: number, output: { readonly [name: string]: Json }, attempt?: number): void;
  /** The item that the step expects was checked. */
  checked(afterMs: number, truth: Truth, detail: string): void;
  progressed(afterMs: number, headline: string): void;
  completed(afterMs: number): void;
}

/** A journal in the making. */
export interface JournalInMaking {
  readonly entries: readonly JournalEntry[];
  /** Time of the last entry. */
  now(): number;
  note(afterMs: number, entry: Untimed): void;
  step(name: string): StepJournal;
}

/** An empty journal whose time begins at `start`. */
export function createJournal(start: number): JournalInMaking {
  const entries: JournalEntry[] = [];
  let at = start;
  const note = (afterMs: number, entry: Untimed) => {
    at += afterMs;
    // The union of entries without their time is the union of entries once it has one.
    entries.push({ ...entry, at });
  };

  return {
    entries,
    now: () => at,
    note,
    step: (step) => ({
      intent(afterMs, { action, effect = "set", attempt = 1, ...plan }) {
        const whole = { summary: action, targets: ["budget/checkout"], changes: [], reversible: true, data: null, ...plan };
        note(afterMs, { kind: "intent", step, action, effect, attempt, group: attempt, idempotencyKey: "k", planSha: "s", plan: whole });
      },
      failed(afterMs, message, attempt = 1) {
        note(afterMs, { kind: "failed", step, attempt, failure: { reason: "refused_by_target", message, applied: "no" } });
      },
      applied(afterMs, output, attempt = 1) {
        note(afterMs, { kind: "applied", step, attempt, output });
      },
      checked(afterMs, truth, detail) {
        note(afterMs, { kind: "checked", subject: { kind: "expected", step }, truth, detail });
      },
      progressed(afterMs, headline) {
        note(afterMs, { kind: "progressed", step, attempt: 1, until: at, progress: { headline, note: "" } });
      },
      completed(afterMs) {
        note(afterMs, { kind: "completed", step });
      },
    }),
  };
}
