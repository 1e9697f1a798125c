import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { ActionOutput, Effect, Plan } from "./action.ts";
import type { Instant } from "./clock.ts";
import type { Failure } from "./failure.ts";
import { sha256 } from "./json.ts";
import type { Answer, Question } from "./question.ts";
import type { Outcome, RunRequest } from "./run.ts";

/** Three-valued truth. Inconclusive is never success. */
export type Truth = "true" | "false" | "inconclusive";

/** What a check looked at. */
export type CheckSubject =
  | { readonly kind: "prerequisite"; readonly index: number }
  | { readonly kind: "expected"; readonly step: string }
  | { readonly kind: "verification"; readonly index: number };

/**
 * The append-only record of a run; a run's state is what its journal says.
 * Every entry carries `at`; entries written by a worker carry the epoch of its lease.
 */
export type JournalEntry = { readonly at: Instant; readonly epoch?: number } & (
  | { readonly kind: "accepted"; readonly runId: string; readonly request: RunRequest }
  | { readonly kind: "claimed"; readonly worker: string }
  /** Tracked metrics: name → value, or null when it could not be seen. */
  | { readonly kind: "sampled"; readonly values: { readonly [name: string]: number | null } }
  | {
      readonly kind: "intent";
      readonly step: string;
      readonly action: string;
      readonly effect: Effect;
      readonly attempt: number;
      /** Counts changes of the idempotency key. */
      readonly group: number;
      readonly idempotencyKey: string;
      readonly plan: Plan;
      readonly planSha: string;
    }
  /** The effect is done (or was found done: `found`); its result awaits Expected, if any. */
  | {
      readonly kind: "applied";
      readonly step: string;
      readonly attempt: number;
      readonly output: ActionOutput;
      readonly found?: "probe" | "person";
    }
  /** The action goes on later. */
  | { readonly kind: "progressed"; readonly step: string; readonly attempt: number; readonly progress: Json; readonly until: Instant }
  | { readonly kind: "failed"; readonly step: string; readonly attempt: number; readonly failure: Failure }
  /** The step is over and the run goes on behind it. */
  | { readonly kind: "completed"; readonly step: string }
  | { readonly kind: "skipped"; readonly step: string; readonly why: string }
  | { readonly kind: "checked"; readonly subject: CheckSubject; readonly truth: Truth; readonly detail: string; readonly value?: Json }
  | { readonly kind: "suspended"; readonly step?: string; readonly until: Instant; readonly why: string }
  | { readonly kind: "asked"; readonly question: Question }
  /** Half of the time is over without an answer: the question was announced again, to more people. */
  | { readonly kind: "escalated"; readonly questionId: string }
  | { readonly kind: "answered"; readonly questionId: string; readonly answer: Answer }
  /** A person allowed a fresh start of the step. */
  | { readonly kind: "retried"; readonly step: string; readonly why: string }
  | { readonly kind: "jumped"; readonly from: string; readonly to: string }
  /** A guardrail said no; `retryAt` when waiting may help. `plan` is what would have been done. */
  | {
      readonly kind: "refused";
      readonly step: string;
      readonly guardrail: string;
      readonly reason: string;
      readonly retryAt?: Instant;
      readonly plan?: Plan;
    }
  /** A freeze holds the step (or its undo) back until it is lifted. */
  | { readonly kind: "frozen"; readonly step: string; readonly scope: string; readonly by: string; readonly reason: string }
  /** Before the first change: how the alert stood. */
  | { readonly kind: "preflight"; readonly standing: "firing" | "silenced" | "gone" | "unknown"; readonly detail: string }
  | { readonly kind: "resolved"; readonly why: string }
  | { readonly kind: "stop_requested"; readonly by: string; readonly reason: string }
  | { readonly kind: "undo_started"; readonly why: string; readonly outcome: Outcome }
  | { readonly kind: "undo_intent"; readonly step: string; readonly attempt: number; readonly idempotencyKey: string }
  /** `note` when there was nothing to undo, or a person let it be. */
  | { readonly kind: "undone"; readonly step: string; readonly note?: string }
  | { readonly kind: "undo_failed"; readonly step: string; readonly attempt: number; readonly failure: Failure }
  /** What the run came to; actions of Post-Action follow, then `finished`. */
  | { readonly kind: "concluded"; readonly outcome: Outcome; readonly reason: string; readonly failure?: Failure }
  | { readonly kind: "finished"; readonly outcome: Outcome; readonly reason: string; readonly failure?: Failure }
);

/** A journal in order; the first entry is always `accepted`. */
export type Journal = readonly JournalEntry[];

/** The head before the first entry. */
export const genesisHead = "0";

/** Hash chain: the head after `entryText` (the stored JSON) follows `head`. */
export function nextHead(head: string, entryText: string): string {
  return sha256(`${head}\n${entryText}`);
}

/** An entry as it was stored. Throws when the text is none: then the ledger is damaged. */
export function parseEntry(text: string): JournalEntry {
  const value: unknown = JSON.parse(text);
  if (!isEntry(value)) throw new Error(`This is no journal entry: ${text.slice(0, 80)}`);
  // Of the chain, not of what happened.
  Reflect.deleteProperty(value, "mark");
  return value;
}

/** Whoever writes the ledger writes entries; this only tells them from what is none at all. */
function isEntry(value: unknown): value is JournalEntry {
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    typeof value.kind === "string" &&
    "at" in value &&
    typeof value.at === "number"
  );
}
