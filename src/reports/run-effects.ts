import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Instant } from "../core/clock.ts";
import type { Journal } from "../core/journal.ts";

/** An effect that was begun and of which nobody knows whether it happened. */
export interface DoubtfulEffect {
  readonly step: string;
  readonly summary: string;
  readonly targets: readonly string[];
}

/** What a run did to anything beside telling people. */
export interface RunEffects {
  /** When the first effect was applied; undefined when none is known to have been. */
  readonly first: Instant | undefined;
  /** Begun, and neither applied nor certainly not applied. While the run goes on these are under way. */
  readonly doubtful: readonly DoubtfulEffect[];
}

type Intent = Extract<JournalEntry, { readonly kind: "intent" }>;

/** Reads the effects of a run from its journal. An effect counts whether its plan lists changes or not: a command and a call know none beforehand. */
export function effectsOf(journal: Journal): RunEffects {
  const begun = new Map<string, Intent>();
  const acting = new Set<string>();
  let first: Instant | undefined;
  for (const entry of journal) {
    if (entry.kind === "intent" && touchesTargets(entry)) {
      begun.set(entry.step, entry);
      acting.add(entry.step);
    } else if (entry.kind === "applied") {
      if (acting.has(entry.step)) first ??= entry.at;
      begun.delete(entry.step);
    } else if (entry.kind === "retried" || (entry.kind === "failed" && entry.failure.applied === "no")) {
      // Only what certainly did not happen is tried anew.
      begun.delete(entry.step);
    }
  }
  const doubtful = [...begun.values()].map(({ step, plan }) => ({ step, summary: plan.summary, targets: plan.targets }));
  return { first, doubtful };
}

/** Mails and reviews tell people and change nothing. */
function touchesTargets({ plan }: Intent): boolean {
  return plan.changes.length > 0 || plan.targets.some((target) => !/^(?:mail|review)\//u.test(target));
}

/** After these entries a run is released in order; the next worker that claims it resumes it. */
const releasing = new Set<JournalEntry["kind"]>(["asked", "suspended", "frozen", "progressed"]);
/** Entries that arrive while nobody has the run, or that only look. */
const notices = new Set<JournalEntry["kind"]>(["resolved", "joined", "stop_requested", "answered", "escalated", "preflight", "sampled"]);

/** How often another worker went on with a run that its worker had not released: after a crash, a lost lease or the end of a process. */
export function takeoversOf(journal: Journal): number {
  let takeovers = 0;
  let last: JournalEntry["kind"] | undefined;
  for (const { kind } of journal) {
    if (kind === "claimed" && last !== undefined && last !== "accepted" && !releasing.has(last)) takeovers += 1;
    if (!notices.has(kind)) last = kind;
  }
  return takeovers;
}
