import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { CheckSubject, JournalEntry, Truth } from "../../../packages/sdk/src/wire/journal.ts";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { ActionOutput, Plan } from "../../../packages/sdk/src/wire/plans.ts";
import type { Answer, Question } from "../../../packages/sdk/src/wire/questions.ts";
import type { Outcome, RunRequest } from "../../../packages/sdk/src/wire/runs.ts";
import type { Instant } from "../../core/clock.ts";
import type { Journal } from "../../core/journal.ts";
import { escalationOf } from "../../core/question.ts";

type Entry<Kind extends JournalEntry["kind"]> = Extract<JournalEntry, { readonly kind: Kind }>;

/** The intent of a step as recorded. */
export type Intent = Entry<"intent">;

/** Everything the journal says about one step. Times are of the run's own time, see `runTimeOf`. */
export interface StepView {
  over: "no" | "completed" | "skipped";
  /** Latest intent. */
  intent?: Intent;
  intentAt: Instant;
  /** An intent without result: the effect may or may not have happened. */
  pending: boolean;
  applied?: { output: ActionOutput; at: Instant; attempt: number };
  /** Attempts so far, including failed reads. */
  attempts: number;
  group: number;
  /** Failures since the last fresh start (a person's "retry" is one). */
  failures: number;
  failure?: Failure;
  failedAt: Instant;
  /** An earlier try of `intent` may have happened, so that a later one that was refused does not settle it. */
  unsure: boolean;
  progress?: Json;
  /** Of an action that goes on later: when to look again. */
  expected?: { truth: Truth; detail: string };
  /** The exact plan that a person allowed. */
  approved?: { planSha: string; plan: Plan; plannedAt: Instant };
  refusal?: Entry<"refused">;
}

/** One effect that happened and can be compensated, in the order of the journal. */
export interface DoneEffect {
  readonly step: string;
  readonly intent: Intent;
  readonly output: ActionOutput;
  state: "done" | "undoing" | "undo_failed" | "undone";
}

/** A question of the run. */
export interface QuestionView {
  readonly question: Question;
  readonly answer?: Answer;
  readonly askedAt: Instant;
  /** When it is announced to more people. Absent: never. */
  readonly escalateAt?: Instant;
  /** That was done. */
  readonly isEscalated?: true;
  readonly expiresAt?: Instant;
}

/**
 * A journal folded into what the next decision needs. Nothing here is stored.
 *
 * All its times but `acceptedAt`, and those inside the entries and questions that it refers to, are of the run's own time: what the
 * clock said, plus all by which it was set back since the run was accepted. This time never goes back, so that no wait becomes longer.
 */
export interface RunView {
  runId: string;
  request: RunRequest;
  acceptedAt: Instant;
  /** What the clock said at the last entry. */
  clockAt: Instant;
  /** By how many milliseconds the clock was set back between the entries so far. */
  setBackMs: number;
  steps: Map<string, StepView>;
  checks: Map<string, { truth: Truth; detail: string; tries: number; firstAt: Instant; lastAt: Instant }>;
  /** The latest question that nobody has dealt with; with the answer once there is one. */
  question?: QuestionView;
  /** `early`: a run that is claimed before `until` does not wait any longer, because the action only polls. */
  waitUntil?: { until: Instant; step?: string; early?: true };
  /** Whether any mutating intent was recorded. */
  changed: boolean;
  /** The freeze that holds the next effect back, as recorded. */
  frozen?: Entry<"frozen">;
  /** How the alert stood when it was last asked about. `fresh`: the run was not claimed again since. `unknowns`: how many answers in a row were unknown. */
  preflight?: { standing: Entry<"preflight">["standing"]; detail: string; at: Instant; unknowns: number; fresh: boolean };
  resolved?: string;
  /** Alerts that have joined the run, as far as the journal says. */
  joined: number;
  stop?: { by: string; reason: string };
  jumpTo?: string;
  undoing?: { why: string; outcome: Outcome };
  concluded?: Entry<"concluded">;
  finished?: Entry<"finished">;
  samples: { at: Instant; values: Entry<"sampled">["values"] }[];
  /** Running time: suspension and waiting for people do not count. */
  runningMs: number;
  /** Of the last entry. */
  lastAt: Instant;
  waiting: boolean;
  /** For undo: last in, first out. */
  effects: DoneEffect[];
}

/** Key of a check in `RunView.checks`. */
export function checkKey(subject: CheckSubject): string {
  return subject.kind === "expected" ? `expected:${subject.step}` : `${subject.kind}:${subject.index}`;
}

function emptyStep(): StepView {
  return { over: "no", pending: false, attempts: 0, group: 1, failures: 0, failedAt: 0, intentAt: 0, unsure: false };
}

const untouched: Readonly<StepView> = Object.freeze(emptyStep());

/** What the journal says about one step; nothing yet about one that no entry names. */
export function stepView(view: RunView, step: string): Readonly<StepView> {
  return view.steps.get(step) ?? untouched;
}

/** The step's part of a view that is being folded. */
function foldedStep(view: RunView, step: string): StepView {
  let state = view.steps.get(step);
  if (state === undefined) {
    state = emptyStep();
    view.steps.set(step, state);
  }
  return state;
}

/** Folds a journal. Throws when it does not begin with `accepted`: then it is not a journal. */
export function viewOf(journal: Journal): RunView {
  const first = journal[0];
  if (first?.kind !== "accepted") throw new Error("A journal begins with `accepted`.");
  const view: RunView = {
    runId: first.runId,
    request: first.request,
    acceptedAt: first.at,
    clockAt: first.at,
    setBackMs: 0,
    steps: new Map(),
    checks: new Map(),
    changed: false,
    joined: 0,
    samples: [],
    runningMs: 0,
    lastAt: first.at,
    waiting: true,
    effects: [],
  };
  for (const entry of journal.slice(1)) fold(view, entry);
  return view;
}

/** The run's own time when the clock says `now`: what it says, plus all by which it was set back since the run was accepted, as far as the journal shows it. */
export function runTimeOf(view: Pick<RunView, "clockAt" | "setBackMs">, now: Instant): Instant {
  return now + view.setBackMs + Math.max(0, view.clockAt - now);
}

/** Adds one entry to a view. */
export function fold(view: RunView, entry: JournalEntry): void {
  const at = runTimeOf(view, entry.at);
  view.setBackMs = at - entry.at;
  view.clockAt = entry.at;
  if (!view.waiting) view.runningMs += at - view.lastAt;
  view.lastAt = at;
  view.waiting =
    entry.kind === "suspended" ||
    entry.kind === "frozen" ||
    entry.kind === "asked" ||
    entry.kind === "escalated" ||
    entry.kind === "answered";
  switch (entry.kind) {
    case "accepted":
      return;
    case "claimed":
      if (view.preflight !== undefined) view.preflight.fresh = false;
      if (view.waitUntil?.early === true) clearWait(view);
      return;
    case "preflight": {
      const unknowns = entry.standing === "unknown" ? (view.preflight?.unknowns ?? 0) + 1 : 0;
      view.preflight = { standing: entry.standing, detail: entry.detail, at, unknowns, fresh: true };
      return;
    }
    case "sampled":
      view.samples.push({ at: entry.at, values: entry.values });
      return;
    case "intent": {
      const step = foldedStep(view, entry.step);
      // The same intent once more: what became of the try before is not known.
      step.unsure = step.pending && step.progress === undefined && (entry.effect === "set" || entry.effect === "keyed");
      step.intent = entry;
      step.intentAt = at;
      step.pending = true;
      step.attempts = entry.attempt;
      step.group = entry.group;
      delete step.refusal;
      view.changed = true;
      settle(view, entry.step);
      return;
    }
    case "applied": {
      const step = foldedStep(view, entry.step);
      step.pending = false;
      step.attempts = entry.attempt;
      if (step.intent !== undefined && step.applied?.attempt !== entry.attempt) {
        view.effects.push({ step: entry.step, intent: step.intent, output: entry.output, state: "done" });
      }
      // A later probe brings a newer output; the clock of `within` keeps running from the first.
      step.applied = {
        output: entry.output,
        attempt: entry.attempt,
        at: step.applied?.attempt === entry.attempt ? step.applied.at : at,
      };
      delete step.progress;
      delete step.failure;
      settle(view, entry.step);
      return;
    }
    case "progressed": {
      foldedStep(view, entry.step).progress = entry.progress;
      settle(view, entry.step);
      view.waitUntil = { until: entry.until + view.setBackMs, step: entry.step, ...(entry.early === true && { early: true }) };
      return;
    }
    case "failed": {
      const step = foldedStep(view, entry.step);
      step.attempts = Math.max(step.attempts, entry.attempt);
      step.failures += 1;
      step.failure = entry.failure;
      step.failedAt = at;
      // Still pending when the outcome is unknown, of this try or of one before: the effect's class decides what happens next.
      if (entry.failure.applied === "no" && !step.unsure) {
        step.pending = false;
        if (step.intent !== undefined) step.group = step.intent.group + 1;
        delete step.progress;
        delete step.applied;
      }
      settle(view, entry.step);
      return;
    }
    case "completed":
      foldedStep(view, entry.step).over = "completed";
      settle(view, entry.step);
      return;
    case "skipped":
      foldedStep(view, entry.step).over = "skipped";
      settle(view, entry.step);
      return;
    case "retried": {
      const step = foldedStep(view, entry.step);
      step.pending = false;
      step.failures = 0;
      step.group += 1;
      delete step.failure;
      delete step.refusal;
      delete step.applied;
      settle(view, entry.step);
      return;
    }
    case "checked": {
      const key = checkKey(entry.subject);
      const previous = view.checks.get(key);
      view.checks.set(key, {
        truth: entry.truth,
        detail: entry.detail,
        tries: (previous?.tries ?? 0) + 1,
        firstAt: previous?.firstAt ?? at,
        lastAt: at,
      });
      if (entry.subject.kind === "expected") foldedStep(view, entry.subject.step).expected = { truth: entry.truth, detail: entry.detail };
      return;
    }
    case "suspended": {
      const until = entry.until + view.setBackMs;
      view.waitUntil = {
        until,
        ...(entry.step !== undefined && { step: entry.step }),
        // The wait that `progressed` began is only recorded once more.
        ...(view.waitUntil?.early === true && view.waitUntil.until === until && { early: true }),
      };
      return;
    }
    case "asked":
      view.question = questionView(entry.question, view.setBackMs);
      clearWait(view);
      return;
    case "escalated":
      if (view.question?.question.id === entry.questionId) view.question = { ...view.question, isEscalated: true };
      return;
    case "answered":
      if (view.question?.question.id === entry.questionId) foldAnswer(view, view.question, entry.answer);
      return;
    case "jumped":
      view.jumpTo = entry.to;
      return;
    case "refused":
      foldedStep(view, entry.step).refusal = entry.retryAt === undefined ? entry : { ...entry, retryAt: entry.retryAt + view.setBackMs };
      return;
    case "frozen":
      view.frozen = entry;
      clearWait(view);
      return;
    case "resolved":
      view.resolved = entry.why;
      return;
    case "joined":
      view.joined = entry.count;
      if (entry.repeats.length > 0) repeatSteps(view, entry.repeats);
      return;
    case "stop_requested":
      view.stop = { by: entry.by, reason: entry.reason };
      return;
    case "undo_started":
      view.undoing = { why: entry.why, outcome: entry.outcome };
      delete view.question;
      addUnsure(view);
      return;
    case "undo_intent":
      mark(view, entry.step, "undoing");
      settle(view, entry.step);
      return;
    case "undone":
      mark(view, entry.step, "undone");
      settle(view, entry.step);
      return;
    case "undo_failed":
      mark(view, entry.step, "undo_failed");
      foldedStep(view, entry.step).failure = entry.failure;
      return;
    case "concluded":
      view.concluded = entry;
      delete view.question;
      clearWait(view);
      return;
    case "finished":
      view.finished = entry;
      return;
  }
}

/** The steps begin afresh, and what was asked or verified behind them is asked and verified anew. */
function repeatSteps(view: RunView, ids: readonly string[]): void {
  for (const id of ids) {
    const step = view.steps.get(id);
    if (step === undefined) continue;
    // The attempts go on counting, and a new group makes the effect a new one.
    const { attempts, group, intent, intentAt } = step;
    view.steps.set(id, { ...emptyStep(), attempts, group: group + 1, intentAt, ...(intent !== undefined && { intent }) });
    view.checks.delete(checkKey({ kind: "expected", step: id }));
  }
  for (const key of view.checks.keys()) if (key.startsWith("verification:")) view.checks.delete(key);
  delete view.question;
  delete view.jumpTo;
  delete view.frozen;
  clearWait(view);
}

function questionView(question: Question, setBackMs: number): QuestionView {
  const escalateAt = escalationOf(question);
  return {
    question,
    askedAt: question.askedAt + setBackMs,
    ...(escalateAt !== undefined && { escalateAt: escalateAt + setBackMs }),
    ...(question.expiresAt !== undefined && { expiresAt: question.expiresAt + setBackMs }),
  };
}

/**
 * A set whose outcome is still unknown is undone as well: it may have happened. Its undo compares the value with what the set has written, so that one that
 * did not happen is put back to nothing else.
 */
function addUnsure(view: RunView): void {
  for (const [step, { pending, intent, applied }] of view.steps) {
    if (pending && intent?.effect === "set" && applied?.attempt !== intent.attempt)
      view.effects.push({ step, intent, output: {}, state: "done" });
  }
}

function foldAnswer(view: RunView, asked: QuestionView, answer: Answer): void {
  const { question, askedAt } = asked;
  view.question = { ...asked, answer };
  clearWait(view);
  if (question.kind === "approve" && answer.answer === "approve" && question.planSha !== undefined && question.plan !== undefined) {
    foldedStep(view, question.stepId).approved = { planSha: question.planSha, plan: question.plan, plannedAt: askedAt };
  }
}

function clearWait(view: RunView): void {
  delete view.waitUntil;
}

/** Something happened to the step: its wait is over, and its question has been acted on (an answer, or no answer in time). */
function settle(view: RunView, step: string): void {
  clearWait(view);
  delete view.frozen;
  if (view.question?.question.stepId === step) delete view.question;
}

/** The newest effect of the step that is not undone yet changes its state. */
function mark(view: RunView, step: string, state: DoneEffect["state"]): void {
  const effect = view.effects.findLast((done) => done.step === step && done.state !== "undone");
  if (effect !== undefined) effect.state = state;
}
