import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import { figure, words } from "../page-format.ts";
import { claimPattern, entrySentence, workerName } from "./entry-sentence.ts";
import type { LogLine } from "./step-stories.ts";

/** Kinds that concern the run as a whole; the others are shown in their step. */
const kindsOfRun: ReadonlySet<JournalEntry["kind"]> = new Set([
  "accepted",
  "claimed",
  "preflight",
  "resolved",
  "joined",
  "asked",
  "escalated",
  "answered",
  "jumped",
  "frozen",
  "stop_requested",
  "undo_started",
  "undo_failed",
  "concluded",
  "finished",
]);

/** After these entries a worker releases the run in order, and the next one that claims it only continues. */
const releasing: ReadonlySet<JournalEntry["kind"]> = new Set(["accepted", "asked", "suspended", "frozen", "progressed"]);
/** Entries that are written without a worker, or that only look. */
const notices: ReadonlySet<JournalEntry["kind"]> = new Set([
  "resolved",
  "joined",
  "stop_requested",
  "answered",
  "escalated",
  "preflight",
  "sampled",
]);

/** What happened to the run as a whole, in order. A worker is named when it takes the run over from another one or after a loss. */
export function runEvents(journal: readonly JournalEntry[]): readonly LogLine[] {
  let worker: string | undefined;
  let previousKind: JournalEntry["kind"] = "accepted";
  const events: LogLine[] = [];
  for (const entry of journal) {
    const isLoss = entry.kind === "claimed" && !releasing.has(previousKind);
    if (!notices.has(entry.kind)) previousKind = entry.kind;
    if (!kindsOfRun.has(entry.kind)) continue;
    if (entry.kind === "claimed") {
      const previous = worker;
      worker = entry.worker;
      if (previous === worker && !isLoss) continue;
      if (previous !== undefined) {
        events.push({ at: entry.at, text: takenOver(worker, previous), tone: isLoss ? "wait" : "plain" });
        continue;
      }
    }
    events.push({ at: entry.at, ...entrySentence(entry) });
  }
  return events;
}

function takenOver(worker: string, previous: string): string {
  const [next, before] = [workerName(worker), workerName(previous)];
  return next === before
    ? `Another process took the run over${claimPattern.test(worker) ? "" : ` as ${next.toLowerCase().slice(0, 1)}${next.slice(1)}`}.`
    : `${next} took the run over from ${before.toLowerCase().slice(0, 1)}${before.slice(1)}.`;
}

/** One measurement of a tracked metric; null when it could not be measured. */
export interface Sample {
  readonly at: number;
  readonly value: number | null;
}

/** The measurements of each tracked metric, in order. */
export function trackedSamples(journal: readonly JournalEntry[]): ReadonlyMap<string, readonly Sample[]> {
  const series = new Map<string, Sample[]>();
  for (const entry of journal) {
    if (entry.kind !== "sampled") continue;
    for (const [name, value] of Object.entries(entry.values)) {
      const samples = series.get(name) ?? [];
      samples.push({ at: entry.at, value });
      series.set(name, samples);
    }
  }
  return series;
}

/** Milliseconds from the acceptance of the run to its first effect that changes something; undefined before it. */
export function firstChangeMs(journal: readonly JournalEntry[]): number | undefined {
  const accepted = journal[0]?.at;
  const intents = new Set<string>();
  for (const entry of journal) {
    if (entry.kind === "intent" && entry.effect !== "read" && entry.plan.changes.length > 0) intents.add(entry.step);
    if (entry.kind === "applied" && intents.has(entry.step) && accepted !== undefined) return entry.at - accepted;
  }
  return undefined;
}

/** Sentences about the tracked metrics that can be the reason of an answer: each metric that was measured again, with its value before. */
export function evidenceOf(journal: readonly JournalEntry[]): readonly string[] {
  return [...trackedSamples(journal)].flatMap(([name, samples]) => {
    const [before, last] = [samples[0]?.value, samples.at(-1)?.value];
    if (samples.length < 2 || typeof before !== "number" || typeof last !== "number") return [];
    return [`${words(name)} is ${figure(last)}, was ${figure(before)}`];
  });
}
