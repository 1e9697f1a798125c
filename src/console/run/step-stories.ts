import type { CheckSubject, JournalEntry, Truth } from "../../../packages/sdk/src/wire/journal.ts";
import type { ActionOutput, Plan } from "../../../packages/sdk/src/wire/plans.ts";
import type { Answer, Question } from "../../../packages/sdk/src/wire/questions.ts";
import type { RunSummary } from "../../../packages/sdk/src/wire/runs.ts";
import { entrySentence, progressText, type Tone } from "./entry-sentence.ts";

/** Where a step is. Each state has a word of its own on the page. */
export const stepStates = [
  "to_come",
  "running",
  "waiting",
  "asks",
  "in_doubt",
  "done",
  "failed",
  "refused",
  "frozen",
  "skipped",
  "planned",
  "undoing",
  "undone",
  "kept",
  "not_reached",
  "passed_over",
  "not_begun",
] as const;

/** See {@link stepStates}. */
export type StepState = (typeof stepStates)[number];

/** One line of a log. `at` is UTC in milliseconds. */
export interface LogLine {
  readonly at: number;
  readonly text: string;
  readonly tone: Tone;
}

/** One check of a condition. */
export interface CheckLine {
  readonly at: number;
  readonly truth: Truth;
  readonly detail: string;
}

/** A question of a step, and its answer once there is one. */
export interface StepQuestion {
  readonly question: Question;
  readonly answer?: Answer;
}

/** What the journal says about one step. */
export interface StepStory {
  readonly state: StepState;
  /** When the step was first mentioned, and when it was over; UTC, milliseconds. */
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly attempts: number;
  readonly action?: string;
  readonly plan?: Plan;
  readonly output?: ActionOutput;
  /** What a step that takes long says about itself. */
  readonly progress?: string;
  readonly checks: readonly CheckLine[];
  readonly questions: readonly StepQuestion[];
  /** Why it failed, was refused, waits or was skipped. */
  readonly reason?: LogLine;
  readonly log: readonly LogLine[];
}

/** A step that no entry mentions. */
export const emptyStory: StepStory = { state: "to_come", attempts: 0, checks: [], questions: [], log: [] };

/** What the journal says about each step, by the step's id. */
export function stepStories(journal: readonly JournalEntry[], { state }: Pick<RunSummary, "state">): ReadonlyMap<string, StepStory> {
  const steps = new Map<string, JournalEntry[]>();
  const stepOfQuestion = new Map<string, string>();
  for (const entry of journal) {
    if (entry.kind === "asked") stepOfQuestion.set(entry.question.id, entry.question.stepId);
    const step = stepOf(entry, stepOfQuestion);
    if (step === undefined) continue;
    const entries = steps.get(step) ?? [];
    entries.push(entry);
    steps.set(step, entries);
  }
  return new Map([...steps].map(([step, entries]) => [step, storyOf(entries, state === "ended")]));
}

function stepOf(entry: JournalEntry, stepOfQuestion: ReadonlyMap<string, string>): string | undefined {
  if (entry.kind === "asked") return entry.question.stepId;
  if (entry.kind === "answered" || entry.kind === "escalated") return stepOfQuestion.get(entry.questionId);
  if (entry.kind === "checked") return entry.subject.kind === "expected" ? entry.subject.step : undefined;
  if (entry.kind === "jumped") return entry.from;
  return "step" in entry ? entry.step : undefined;
}

function storyOf(entries: readonly JournalEntry[], hasEnded: boolean): StepStory {
  const state = stateAfter(entries, hasEnded);
  const first = entries[0]?.at;
  const over = entries.findLast(({ kind }) => kind === "completed" || kind === "skipped" || kind === "undone")?.at;
  const intent = entries.findLast((entry) => entry.kind === "intent");
  const applied = entries.findLast((entry) => entry.kind === "applied");
  const progressed = entries.findLast((entry) => entry.kind === "progressed");
  const plan = planOf(entries);
  const reason = reasonOf(entries, state);
  const log = entries.map((entry) => ({ at: entry.at, ...entrySentence(entry) }));
  return {
    state,
    ...(first !== undefined && { startedAt: first }),
    ...(over !== undefined && { endedAt: over }),
    attempts: entries.reduce((most, entry) => ("attempt" in entry ? Math.max(most, entry.attempt) : most), 0),
    ...(intent !== undefined && { action: intent.action }),
    ...(plan !== undefined && { plan }),
    ...(applied !== undefined && { output: applied.output }),
    ...(progressed !== undefined && state === "running" && { progress: progressText(progressed.progress) }),
    checks: entries.flatMap((entry) => (entry.kind === "checked" ? [{ at: entry.at, truth: entry.truth, detail: entry.detail }] : [])),
    questions: questionsOf(entries),
    ...(reason !== undefined && { reason }),
    log: log.filter((line, index) => line.text !== log[index - 1]?.text),
  };
}

/** What an open step does after an entry of this kind; kinds that are absent leave its state as it was. */
const stateByKind: { readonly [Kind in JournalEntry["kind"]]?: StepState } = {
  intent: "running",
  applied: "running",
  progressed: "running",
  answered: "running",
  retried: "running",
  failed: "failed",
  completed: "done",
  skipped: "skipped",
  frozen: "frozen",
  undo_intent: "undoing",
  undo_failed: "failed",
};

function stateAfter(entries: readonly JournalEntry[], hasEnded: boolean): StepState {
  const state = entries.reduce<StepState>((previous, entry) => nextState(previous, entry), "running");
  if (!hasEnded) return state;
  // An ended run neither works nor waits: an effect without a result is in doubt.
  if (state === "running" || state === "undoing") return entries.at(-1)?.kind === "applied" ? "done" : "in_doubt";
  return state === "waiting" || state === "asks" || state === "frozen" ? "not_reached" : state;
}

function nextState(previous: StepState, entry: JournalEntry): StepState {
  if (entry.kind === "asked") return entry.question.kind === "in_doubt" ? "in_doubt" : "asks";
  if (entry.kind === "suspended") return previous === "asks" || previous === "in_doubt" || previous === "frozen" ? previous : "waiting";
  if (entry.kind === "refused") {
    if (entry.guardrail === "mode") return "planned";
    return entry.retryAt === undefined ? "refused" : "waiting";
  }
  if (entry.kind === "undone") {
    if (entry.kept !== undefined) return "kept";
    return "note" in entry ? previous : "undone";
  }
  return stateByKind[entry.kind] ?? previous;
}

function planOf(entries: readonly JournalEntry[]): Plan | undefined {
  for (const entry of entries.toReversed()) {
    if (entry.kind === "intent") return entry.plan;
    if (entry.kind === "refused" && entry.plan !== undefined) return entry.plan;
    if (entry.kind === "asked" && entry.question.plan !== undefined) return entry.question.plan;
  }
  return undefined;
}

function questionsOf(entries: readonly JournalEntry[]): readonly StepQuestion[] {
  return entries.flatMap((entry) => {
    if (entry.kind !== "asked") return [];
    const answered = entries.find((other) => other.kind === "answered" && other.questionId === entry.question.id);
    return [{ question: entry.question, ...(answered?.kind === "answered" && { answer: answered.answer }) }];
  });
}

const reasonKinds: { readonly [State in StepState]?: readonly JournalEntry["kind"][] } = {
  failed: ["failed", "undo_failed"],
  waiting: ["suspended", "refused", "failed"],
  refused: ["refused"],
  frozen: ["frozen"],
  skipped: ["skipped"],
  in_doubt: ["failed"],
  kept: ["undone"],
};

function reasonOf(entries: readonly JournalEntry[], state: StepState): LogLine | undefined {
  const kinds = reasonKinds[state];
  const entry = kinds && entries.findLast(({ kind }) => kinds.includes(kind));
  return entry && { at: entry.at, ...entrySentence(entry) };
}

/**
 * The stories with one for each step of the document that no entry mentions: the run passed over it when an entry mentions a later step, and will
 * not begin it when it has ended. `steps`: their ids in the order of the document.
 */
export function withUnmentioned(
  stories: ReadonlyMap<string, StepStory>,
  steps: readonly string[],
  { state }: Pick<RunSummary, "state">,
): ReadonlyMap<string, StepStory> {
  const last = steps.findLastIndex((step) => stories.has(step));
  const all = new Map(stories);
  for (const [index, step] of steps.entries()) {
    if (stories.has(step)) continue;
    all.set(step, { ...emptyStory, state: index < last ? "passed_over" : state === "ended" ? "not_begun" : "to_come" });
  }
  return all;
}

/** The checks of one list of the document, by the index of its item. */
export function checksOf(
  journal: readonly JournalEntry[],
  kind: Exclude<CheckSubject["kind"], "expected">,
): ReadonlyMap<number, CheckLine> {
  const lines = journal.flatMap((entry): readonly (readonly [number, CheckLine])[] =>
    entry.kind === "checked" && entry.subject.kind === kind
      ? [[entry.subject.index, { at: entry.at, truth: entry.truth, detail: entry.detail }]]
      : [],
  );
  return new Map(lines);
}

/** The question that the run waits for. An ended run waits for none. */
export function openQuestionOf(journal: readonly JournalEntry[], { state }: Pick<RunSummary, "state">): Question | undefined {
  if (state === "ended") return undefined;
  const asked = journal.findLast((entry) => entry.kind === "asked");
  if (asked?.kind !== "asked") return undefined;
  const isAnswered = journal.some((entry) => entry.kind === "answered" && entry.questionId === asked.question.id);
  return isAnswered ? undefined : asked.question;
}
