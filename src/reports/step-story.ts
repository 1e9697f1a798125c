import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { Change } from "../../packages/sdk/src/wire/plans.ts";
import { cleanText } from "../core/clean-text.ts";
import type { Journal } from "../core/journal.ts";
import type { ChangeLine, RankingTable, StepState, StepStory, StoryLine } from "./review.ts";
import { effectsOf } from "./run-effects.ts";
import { waterfallFields, waterfallOf } from "./waterfall.ts";
import { fieldValue, figure, words } from "./wording.ts";

/** What is known of a step beside the journal. */
export interface StepHead {
  readonly id: string;
  readonly name: string;
  readonly number?: number;
  readonly section?: string;
  readonly text: string;
  readonly action?: string;
}

const resultsShown = 18;

/** The sentence is a line of the story, and the budget is the run's target. */
const shownElsewhere = new Set(["sentence", "budget"]);

/** Tells one step from the journal: what was done when, before → after, results, attempts, checks, and who answered. */
export function describeStep(head: StepHead, journal: Journal): StepStory {
  const questions = new Set(
    journal.flatMap((entry) => (entry.kind === "asked" && entry.question.stepId === head.id ? [entry.question.id] : [])),
  );
  const entries = journal.filter((entry) => ("step" in entry && entry.step === head.id) || concerns(entry, head.id, questions));
  const lines: StoryLine[] = [];
  let headline = "";
  for (const entry of entries) {
    if (entry.kind === "progressed") {
      const next = headlineOf(entry.progress);
      if (next === headline) continue;
      headline = next;
    }
    const text = lineOf(entry);
    if (text !== undefined) lines.push({ at: entry.at, text: cleanText(text, 600) });
  }
  const hasEnded = journal.some((entry) => entry.kind === "finished" || entry.kind === "concluded");
  const isDoubtful = hasEnded && effectsOf(journal).doubtful.some(({ step }) => step === head.id);
  const plan = entries.findLast((entry) => entry.kind === "intent" || (entry.kind === "refused" && entry.plan !== undefined));
  const changes = plan?.kind === "intent" || plan?.kind === "refused" ? (plan.plan?.changes ?? []) : [];
  const applied = entries.findLast((entry) => entry.kind === "applied");
  const output = applied?.kind === "applied" ? applied.output : {};
  const ranking = rankingOf(output);
  const waterfall = waterfallOf(output);
  return {
    ...head,
    state: isDoubtful ? "in doubt" : stateOf(entries, hasEnded),
    lines,
    changes: changes.map(changeLine),
    results: Object.entries(output)
      .filter(
        ([name, value]) =>
          !shownElsewhere.has(name) &&
          !(name === "rows" && ranking !== undefined) &&
          !(waterfall !== undefined && waterfallFields.has(name)) &&
          !(Array.isArray(value) && value.length === 0),
      )
      .slice(0, resultsShown)
      .map(([name, value]) => [words(name), fieldValue(name, value)]),
    ...(ranking !== undefined && { ranking }),
    ...(waterfall !== undefined && { waterfall }),
  };
}

function concerns(entry: JournalEntry, step: string, questions: ReadonlySet<string>): boolean {
  if (entry.kind === "asked") return entry.question.stepId === step;
  if (entry.kind === "answered") return questions.has(entry.questionId);
  return entry.kind === "checked" && entry.subject.kind === "expected" && entry.subject.step === step;
}

const stateAfter: { readonly [Kind in JournalEntry["kind"]]?: StepState } = {
  completed: "done",
  applied: "done",
  answered: "done",
  skipped: "skipped",
  undone: "undone",
  undo_intent: "undone",
  failed: "failed",
  undo_failed: "failed",
  intent: "in doubt",
};

function stateOf(entries: Journal, hasEnded: boolean): StepState {
  const last = entries.findLast((entry) => entry.kind !== "checked" && entry.kind !== "suspended");
  if (last === undefined) return "not reached";
  if (last.kind === "undone" && last.kept !== undefined) return "done";
  if (last.kind === "refused") return last.guardrail === "mode" ? "planned only" : "refused";
  // An ended run waits for nothing any more.
  return stateAfter[last.kind] ?? (hasEnded ? "not reached" : "waiting");
}

function lineOf(entry: JournalEntry): string | undefined {
  switch (entry.kind) {
    case "intent":
      return `${entry.attempt > 1 ? `Attempt ${entry.attempt}: ` : ""}${entry.plan.summary}.`;
    case "applied": {
      const sentence = entry.output["sentence"];
      const prefix =
        entry.found === undefined ? "Done" : `Found done (${entry.found === "probe" ? "the target was asked" : "a person said so"})`;
      return typeof sentence === "string" ? `${prefix}: ${sentence}` : `${prefix}.`;
    }
    case "progressed":
      return sentenceOf(headlineOf(entry.progress));
    case "failed":
      return `Attempt ${entry.attempt} failed (${words(entry.failure.reason)}): ${entry.failure.message}${entry.failure.applied === "unknown" ? " It may have been applied." : ""}`;
    case "skipped":
      return `Skipped: ${entry.why}`;
    case "checked":
      return entry.truth === "true" ? `Expectation held: ${entry.detail}` : `Expectation ${entry.truth}: ${entry.detail}`;
    case "asked":
      return `Asked a person (${entry.question.answers.join(", ")}): ${entry.question.text}`;
    case "escalated":
      return "Nobody had answered at half of the time; more people were told.";
    case "answered":
      return `${entry.answer.by} answered "${entry.answer.answer}"${entry.answer.reason === "" ? "" : `: ${entry.answer.reason}`}`;
    case "refused":
      return `Refused by ${entry.guardrail}: ${entry.reason}${entry.plan === undefined ? "" : `. Would have done: ${entry.plan.summary}`}`;
    case "frozen":
      return `Held back by the freeze of ${entry.scope}, set by ${entry.by}: ${entry.reason}`;
    case "retried":
      return `Tried anew: ${entry.why}`;
    case "suspended":
      return undefined;
    case "undo_intent":
      return "Undoing.";
    case "undone":
      if (entry.kept !== undefined) return `Not undone, kept: ${entry.note ?? "it lowers"}.`;
      return entry.note === undefined ? "Undone." : `Not undone: ${entry.note}`;
    case "undo_failed":
      return `Could not be undone: ${entry.failure.message}`;
    case "accepted":
    case "claimed":
    case "preflight":
    case "sampled":
    case "completed":
    case "jumped":
    case "resolved":
    case "joined":
    case "stop_requested":
    case "undo_started":
    case "concluded":
    case "finished":
      return undefined;
  }
}

/** A progress may hold `headline`, which changes when there is something to tell; else any change is told once. */
function headlineOf(progress: Json): string {
  if (progress !== null && typeof progress === "object" && !Array.isArray(progress) && "headline" in progress) {
    return fieldValue("headline", progress["headline"]);
  }
  return fieldValue("", progress).startsWith("until") ? "waits" : "goes on";
}

function sentenceOf(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return first.endsWith(".") ? first : `${first}.`;
}

function changeLine({ target, field, before, after }: Change): ChangeLine {
  return { target, field: words(field), before: fieldValue(field, before), after: fieldValue(field, after) };
}

/** The table of a ranking of operations, when the result is one. */
function rankingOf(output: { readonly [key: string]: Json }): RankingTable | undefined {
  const rows = output["rows"];
  if (!Array.isArray(rows) || rows.length === 0) return undefined;
  const cells = rows.flatMap((row: Json) => {
    if (row === null || typeof row !== "object" || Array.isArray(row) || !("prompt" in row) || !("operation" in row)) return [];
    const text = (name: string) => (row[name] === undefined || row[name] === null ? "" : fieldValue(name, row[name]));
    const number = (name: string) => (typeof row[name] === "number" ? figure(row[name]) : "");
    const attempts = [number("baseline_attempts_per_ticket"), number("attempts_per_ticket")].filter((part) => part !== "").join(" → ");
    return [
      [text("prompt"), text("operation"), text("cost_usd"), text("baseline_usd"), signed(text("change_usd")), text("share"), attempts],
    ];
  });
  if (cells.length !== rows.length) return undefined;
  return { head: ["Prompt", "Operation", "Cost", "Before", "Change", "Share", "Attempts/ticket"], rows: cells };
}

function signed(text: string): string {
  return text.startsWith("-") || text === "" ? text : `+${text}`;
}
