import type { FindingReport } from "../../../packages/sdk/src/wire/finding-imports.ts";
import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Instant } from "../../core/clock.ts";
import type { Journal } from "../../core/journal.ts";

/** What one run is made into. */
export interface PostMortemFacts {
  readonly runId: string;
  /** Name of the feature, as its findings carry it. */
  readonly feature: string;
  readonly at: Instant;
  /** Undefined: the record of the run cannot be read. */
  readonly journal: Journal | undefined;
  /** Undefined: the findings cannot be read. */
  readonly findings: FindingReport | undefined;
}

/** What happened, and what was not shown. Texts in it may be written by anyone. */
export interface PostMortem {
  readonly runId: string;
  readonly feature: string;
  readonly at: Instant;
  readonly begun: Instant | undefined;
  readonly timeline: readonly { readonly at: Instant; readonly text: string }[];
  /** What was not shown, one sentence each. */
  readonly gaps: readonly string[];
  readonly findings: FindingReport | undefined;
}

const maxTimeline = 300;
const maxGaps = 100;

/** Tells a run from its journal. Pure. */
export function createPostMortem({ runId, feature, at, journal, findings }: PostMortemFacts): PostMortem {
  const ofRun = (journal ?? []).flatMap((entry) => {
    const text = lineOf(entry);
    return text === undefined ? [] : [{ at: entry.at, text }];
  });
  const ofFindings = (findings?.timeline ?? []).map((event) => ({ at: event.at, text: `Finding: ${event.sentence}` }));
  const timeline = [...ofFindings, ...ofRun].toSorted((a, b) => a.at - b.at);
  const gaps = [
    ...(journal === undefined ? ["The record of the run cannot be read, so that the timeline is not complete."] : []),
    ...(findings === undefined ? ["The findings cannot be read."] : []),
    ...(timeline.length > maxTimeline
      ? [`The timeline has ${timeline.length} lines; the first and last ${maxTimeline / 2} are here.`]
      : []),
    ...gapsOfRun(journal ?? []),
    ...(findings?.unknown ?? []),
  ];
  return {
    runId,
    feature,
    at,
    begun: journal?.[0]?.at,
    timeline: middleCut(timeline),
    gaps: [...new Set(gaps)].slice(0, maxGaps),
    findings,
  };
}

function middleCut<Line>(lines: readonly Line[]): readonly Line[] {
  return lines.length <= maxTimeline ? lines : [...lines.slice(0, maxTimeline / 2), ...lines.slice(-maxTimeline / 2)];
}

/** One line of the timeline; undefined for what says nothing to people. */
function lineOf(entry: JournalEntry): string | undefined {
  switch (entry.kind) {
    case "accepted":
      return `The run began${entry.request.alert === undefined ? "" : ` by the alert ${entry.request.alert.labels["alertname"] ?? "without a name"}`}.`;
    case "intent":
      return `${wordsOf(entry.step)}: ${entry.plan.summary}.`;
    case "applied": {
      const sentence = entry.output["sentence"] ?? entry.output["reason"];
      return `${wordsOf(entry.step)}: done${typeof sentence === "string" && sentence !== "" ? `: ${sentence}` : "."}`;
    }
    case "failed":
      return `${wordsOf(entry.step)}: attempt ${entry.attempt} failed: ${entry.failure.message}`;
    case "skipped":
      return `${wordsOf(entry.step)}: skipped: ${entry.why}`;
    case "asked":
      return `${wordsOf(entry.question.stepId)}: people were asked: ${entry.question.text}`;
    case "answered":
      return `${entry.answer.by} answered "${entry.answer.answer}"${entry.answer.reason === "" ? "." : `: ${entry.answer.reason}`}`;
    case "refused":
      return `${wordsOf(entry.step)}: refused by ${entry.guardrail}: ${entry.reason}`;
    case "frozen":
      return `${wordsOf(entry.step)}: held back by a freeze of ${entry.by}: ${entry.reason}`;
    case "joined":
      return `Another alert joined the run: ${entry.why}`;
    case "resolved":
      return `The alert ended: ${entry.why}`;
    case "jumped":
      return `The run went on with "${wordsOf(entry.to)}".`;
    case "stop_requested":
      return `${entry.by} stopped the run: ${entry.reason}`;
    case "claimed":
    case "sampled":
    case "progressed":
    case "completed":
    case "checked":
    case "suspended":
    case "escalated":
    case "retried":
    case "preflight":
    case "undo_started":
    case "undo_intent":
    case "undone":
    case "undo_failed":
    case "concluded":
    case "finished":
      return undefined;
  }
}

/** Steps that failed or were passed over, and what the others say themselves that they have not shown. */
function gapsOfRun(journal: Journal): readonly string[] {
  const last = new Map<string, JournalEntry>();
  const outputs = new Map<string, { readonly [field: string]: Json }>();
  for (const entry of journal) {
    if (entry.kind === "completed" || entry.kind === "skipped" || entry.kind === "failed") last.set(entry.step, entry);
    if (entry.kind === "applied") outputs.set(entry.step, entry.output);
  }
  return [
    ...[...last].flatMap(([step, entry]) => {
      if (entry.kind === "skipped") return [`${wordsOf(step)} was not done: ${entry.why}`];
      return entry.kind === "failed" ? [`${wordsOf(step)} failed: ${entry.failure.message}`] : [];
    }),
    ...[...outputs].flatMap(([step, output]) => gapsOfOutput(step, output)),
  ];
}

function gapsOfOutput(step: string, output: { readonly [field: string]: Json }): readonly string[] {
  const sentences = ["gaps", "missing"].flatMap((field) => textsOf(output[field]));
  const blind = textsOf(output["blind"]).map((source) => `The source ${source} could not be read.`);
  const { hits, tries, bound } = output;
  const rate =
    hits === 0 && typeof tries === "number" && typeof bound === "number"
      ? [`None of ${tries} tries worked; that an attack works in up to ${(100 * bound).toFixed(2)} % of tries is not excluded.`]
      : [];
  return [...sentences, ...blind, ...rate].map((sentence) => `${wordsOf(step)}: ${sentence}`);
}

function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.flatMap((one) => (typeof one === "string" ? [one] : [])) : [];
}

/** The id of a step as words. */
function wordsOf(step: string): string {
  const words = step.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
