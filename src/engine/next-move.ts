import type { Instant } from "../core/clock.ts";
import type { Failure, FailureReason } from "../core/failure.ts";
import type { CheckSubject, JournalEntry } from "../core/journal.ts";
import { escalationOf, permittedAnswers, type Question, type QuestionKind } from "../core/question.ts";
import type { Outcome } from "../core/run.ts";
import { evaluate, truthOf } from "../runbook/expression.ts";
import type { CheckItem, Runbook, Step } from "../runbook/runbook.ts";
import { checkKey, type DoneEffect, type RunView, stepView, type StepView } from "./run-view.ts";
import { scopeOf } from "./scope.ts";

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

const blind: Sight = { alerts: false, mutates: () => true };

const prerequisiteTries = 3;
const preflightTries = 3;
const neverRetried: readonly FailureReason[] = [
  "invalid_parameters",
  "expression_error",
  "refused_by_guardrail",
  "stopped_by_person",
  "runbook_corrupt",
];
/** "not applied, retry" of an overloaded target needs no policy; capped. */
const overloadedRetries = 3;
const overloadedWaitCapMs = 60_000;
/** After an unknown outcome, a repeatable effect is repeated this often even without a policy. */
const unknownRetries = 2;

/**
 * The whole state machine: what to do next is one pure function of the document, the journal (folded) and the time.
 *
 * prerequisites → steps in order (When → preflight while nothing is changed → attempt → Expected → failure policy) → verification → Post-Action → finish;
 * a stop, a resolve before any change, an expired run and an undo cut in between.
 */
export function nextMove(runbook: Runbook, view: RunView, now: Instant, pace: Pace = defaultPace, sight: Sight = blind): Move {
  if (view.finished !== undefined) return { kind: "ended" };
  if (view.concluded !== undefined) return afterConclusion(runbook, view, now, pace);
  if (view.stop !== undefined) return conclude("aborted", `Stopped by ${view.stop.by}: ${view.stop.reason}`);
  if (view.undoing !== undefined) return nextUndo(runbook, view, view.undoing, now);
  if (view.resolved !== undefined && !view.changed)
    return conclude("stood_down", `Nothing had been changed yet when the alert ended: ${view.resolved}`);
  if (view.resolved !== undefined && runbook.onResolved === "undo") return undoAll(`The alert ended: ${view.resolved}`, "undone");
  if (view.runningMs > runbook.timeoutMs) {
    return conclude("failed", "The run used up its running time.", {
      reason: "expired",
      message: "The run used up its running time.",
      applied: "no",
    });
  }
  return (
    nextCheck(view, "prerequisite", runbook.prerequisites, now, pace) ??
    nextStep(runbook, view, now, pace, sight) ??
    (view.request.mode === "observe"
      ? conclude("stood_down", "Mode observe: the plan is recorded, nothing was changed.")
      : (nextCheck(view, "verification", runbook.verification, now, pace) ?? verdictOf(runbook, view)))
  );
}

/** The steps of Post-Action that a machine can do, as steps. */
export function postSteps(runbook: Runbook): readonly Step[] {
  return runbook.postAction.flatMap((item, index) =>
    item.action === undefined
      ? []
      : [
          {
            id: `post_action_${index + 1}`,
            name: `Post-Action ${index + 1}`,
            number: index + 1,
            text: item.text,
            position: item.position,
            action: item.action,
            onFailure: { retries: 2, retryEveryMs: 1000, then: { kind: "continue" } },
          } satisfies Step,
        ],
  );
}

/** The step with this id, Post-Action included. */
export function findStep(runbook: Runbook, id: string): Step | undefined {
  return runbook.steps.find((step) => step.id === id) ?? postSteps(runbook).find((step) => step.id === id);
}

const record = (...entries: EntryBody[]): Move => ({ kind: "record", entries });

function conclude(outcome: Outcome, reason: string, failure?: Failure): Move {
  return record({ kind: "concluded", outcome, reason, ...(failure !== undefined && { failure }) });
}

function undoAll(why: string, outcome: Outcome): Move {
  return record({ kind: "undo_started", why, outcome });
}

function afterConclusion(runbook: Runbook, view: RunView, now: Instant, pace: Pace): Move {
  for (const step of postSteps(runbook)) {
    const move = moveOfStep(runbook, view, step, now, pace);
    if (move !== undefined) return move;
  }
  const { outcome, reason, failure } = view.concluded ?? { outcome: "failed" as const, reason: "", failure: undefined };
  return { kind: "finish", outcome, reason, ...(failure !== undefined && { failure }) };
}

function nextStep(runbook: Runbook, view: RunView, now: Instant, pace: Pace, sight: Sight): Move | undefined {
  const jump = runbook.steps.findIndex((step) => step.id === view.jumpTo);
  for (const [index, step] of runbook.steps.entries()) {
    if (stepView(view, step.id).over !== "no") continue;
    if (index < jump) return record({ kind: "skipped", step: step.id, why: `Jumped over to "${runbook.steps[jump]?.name ?? ""}".` });
    const move = moveOfStep(runbook, view, step, now, pace);
    if (move?.kind === "attempt" && sight.mutates(step)) return preflight(view, step, now, pace, sight) ?? move;
    if (move !== undefined) return move;
  }
  return undefined;
}

/**
 * While nothing has been changed yet: does the alert still fire, and has nobody silenced it? Undefined: go on.
 * A run that a person ordered, one that only observes, and one whose sender cannot be asked go on without.
 */
function preflight(view: RunView, step: Step, now: Instant, pace: Pace, sight: Sight): Move | undefined {
  const { alert, mode, source } = view.request;
  const asks = sight.alerts && alert !== undefined && alert.sender === undefined && (source === "webhook" || source === "poll");
  if (!asks || view.changed || mode === "observe") return undefined;
  const seen = view.preflight;
  if (seen === undefined || !seen.fresh) return { kind: "preflight" };
  switch (seen.standing) {
    case "gone":
    case "silenced":
      return conclude("stood_down", `Nothing had been changed yet, and ${seen.detail}.`);
    case "unknown": {
      const why = `Whether the alert still fires could not be seen: ${seen.detail}.`;
      if (seen.unknowns >= preflightTries) return conclude("inconclusive", why);
      const due = seen.at + pace.prerequisiteEveryMs;
      return due > now ? { kind: "suspend", until: due, why, step: step.id, asked: false } : { kind: "preflight" };
    }
    case "firing":
      return now - seen.at > pace.preflightFreshMs ? { kind: "preflight" } : undefined;
  }
}

/** Undefined: the step is over. */
function moveOfStep(runbook: Runbook, view: RunView, step: Step, now: Instant, pace: Pace): Move | undefined {
  const known = stepView(view, step.id);
  if (known.over !== "no") return undefined;
  const answered = moveOfQuestion(view, step, known, now);
  if (answered !== undefined) return answered;
  // Who only observes looks once at each step, and waits neither for people nor for what nobody has done.
  const observes = view.request.mode === "observe";
  if (view.waitUntil !== undefined && view.waitUntil.until > now && view.waitUntil.step === step.id) {
    return { kind: "suspend", until: view.waitUntil.until, why: "waiting", step: step.id, asked: false };
  }
  if (known.pending) return moveOfPending(step, known, now, pace);
  if (known.applied !== undefined) return moveOfApplied(view, step, known, known.applied, now);
  if (known.failure !== undefined) {
    if (observes) return record({ kind: "skipped", step: step.id, why: `Mode observe: it failed: ${known.failure.message}` });
    return moveOfFailure(step, known, known.failure, now);
  }
  if (known.refusal !== undefined) return moveOfRefusal(step, known.refusal, now);
  if (step.when !== undefined) {
    const seen = evaluate(step.when.source, scopeOf(view));
    const truth = truthOf(seen);
    if (truth === "false") return record({ kind: "skipped", step: step.id, why: `When \`${step.when.source}\` is false.` });
    if (truth === "inconclusive") {
      const what = seen.kind === "missing" ? `${seen.what} is missing` : seen.kind === "error" ? seen.message : "it is no truth value";
      return fail(step, known, "expression_error", `When \`${step.when.source}\` cannot be told: ${what}.`);
    }
  }
  if (step.action === undefined) {
    if (observes) return record({ kind: "skipped", step: step.id, why: "Mode observe: a person does this." });
    return { kind: "ask", question: "manual", step, text: step.text, answers: permittedAnswers.manual };
  }
  return { kind: "attempt", step, resume: false };
}

function fail(step: Step, known: StepView, reason: FailureReason, message: string): Move {
  return record({ kind: "failed", step: step.id, attempt: known.attempts + 1, failure: { reason, message, applied: "no" } });
}

function moveOfQuestion(view: RunView, step: Step, known: StepView, now: Instant): Move | undefined {
  const open = view.question;
  if (open === undefined || open.question.stepId !== step.id) return undefined;
  const { question, answer } = open;
  if (answer === undefined) {
    if (question.expiresAt === undefined || question.expiresAt > now) {
      const escalateAt = open.escalated === true ? undefined : escalationOf(question);
      if (escalateAt !== undefined && escalateAt <= now) return { kind: "escalate", question };
      return {
        kind: "suspend",
        until: escalateAt ?? question.expiresAt ?? Number.POSITIVE_INFINITY,
        why: `waiting for a person: ${question.kind}`,
        step: step.id,
        asked: true,
      };
    }
    // Nobody answered in time: the safe branch.
    return fail(step, known, "stopped_by_person", "Nobody answered in time, so the step was not allowed.");
  }
  const who = `${answer.by}${answer.reason === "" ? "" : `: ${answer.reason}`}`;
  switch (question.kind) {
    case "approve":
      return answer.answer === "approve" ? undefined : fail(step, known, "stopped_by_person", `Rejected by ${who}.`);
    case "manual":
      if (answer.answer === "done") return record({ kind: "completed", step: step.id });
      if (answer.answer === "skipped") return record({ kind: "skipped", step: step.id, why: `Skipped by ${who}.` });
      return fail(step, known, "stopped_by_person", `Marked as failed by ${who}.`);
    case "ask":
      // The action asked by itself: it goes on with the answer.
      if (question.byAction === true) return { kind: "attempt", step, resume: known.pending };
      if (answer.answer === "retry") return record({ kind: "retried", step: step.id, why: `Retry ordered by ${who}.` });
      if (answer.answer === "skip") return record({ kind: "skipped", step: step.id, why: `Skipped by ${who}.` });
      if (answer.answer === "undo") return undoAll(`Undo ordered by ${who}.`, "undone");
      return conclude("failed", `Stopped by ${who}.`, known.failure);
    case "in_doubt":
      if (answer.answer === "happened") {
        return record({ kind: "applied", step: step.id, attempt: known.attempts, output: {}, found: "person" });
      }
      if (answer.answer === "retry") return record({ kind: "retried", step: step.id, why: `${who} says it did not happen.` });
      return undoAll(`Abort and undo ordered by ${who}.`, "aborted");
  }
}

function moveOfPending(step: Step, known: StepView, now: Instant, pace: Pace): Move {
  const intent = known.intent;
  if (intent === undefined) return { kind: "attempt", step, resume: false };
  if (known.progress !== undefined && known.failure === undefined) return { kind: "attempt", step, resume: true };
  switch (intent.effect) {
    case "read":
    case "set":
    case "keyed":
      if (known.failures > Math.max(step.onFailure.retries, unknownRetries)) return moveOfPolicy(step, known, known.failure);
      if (known.failure !== undefined) {
        const until = known.failedAt + Math.max(step.onFailure.retryEveryMs, 200 * 2 ** known.failures);
        if (until > now) return { kind: "suspend", until, why: "trying again after an unknown outcome", step: step.id, asked: false };
      }
      return { kind: "attempt", step, resume: true };
    case "probed": {
      const until = Math.max(intent.at, known.failedAt) + pace.quarantineMs;
      if (until > now)
        return { kind: "suspend", until, why: "letting the effect settle before asking the target", step: step.id, asked: false };
      return { kind: "probe", step };
    }
    case "once":
      return {
        kind: "ask",
        question: "in_doubt",
        step,
        text: `Nobody knows whether this happened: ${intent.plan.summary}. Look at the target and say what is true.`,
        answers: permittedAnswers.in_doubt,
      };
  }
}

function moveOfApplied(view: RunView, step: Step, known: StepView, applied: NonNullable<StepView["applied"]>, now: Instant): Move {
  const expected = step.expected;
  if (expected === undefined || known.expected?.truth === "true") return record({ kind: "completed", step: step.id });
  const subject: CheckSubject = { kind: "expected", step: step.id };
  const seen = evaluate(expected.expression.source, scopeOf(view, applied.output));
  const truth = truthOf(seen);
  const detail =
    seen.kind === "value"
      ? `\`${expected.expression.source}\` is ${truth}`
      : seen.kind === "missing"
        ? `${seen.what} is missing`
        : seen.message;
  if (truth === "true") return record({ kind: "checked", subject, truth, detail }, { kind: "completed", step: step.id });
  if (view.request.mode === "observe") return record({ kind: "checked", subject, truth, detail }, { kind: "completed", step: step.id });
  if (expected.withinMs !== undefined) {
    const deadline = applied.at + expected.withinMs;
    const last = view.checks.get(checkKey(subject));
    if (last === undefined || last.lastAt < deadline) {
      const due = Math.min(deadline, (last?.lastAt ?? applied.at) + pollEvery(expected.withinMs));
      if (due > now)
        return { kind: "suspend", until: due, why: `waiting for \`${expected.expression.source}\``, step: step.id, asked: false };
      return { kind: "recheck", step, last: now >= deadline };
    }
  }
  const reason = truth === "false" ? "expectation_false" : "expectation_inconclusive";
  return fail(
    step,
    known,
    reason,
    truth === "false"
      ? `Expected \`${expected.expression.source}\` does not hold.`
      : `Expected \`${expected.expression.source}\` could not be seen: ${detail}.`,
  );
}

/** About twenty looks in the time allowed. */
function pollEvery(withinMs: number): number {
  return Math.min(15_000, Math.max(200, withinMs / 20));
}

function moveOfFailure(step: Step, known: StepView, failure: Failure, now: Instant): Move {
  if (neverRetried.includes(failure.reason)) return moveOfPolicy(step, known, failure);
  const allowed = failure.reason === "overloaded" ? Math.max(step.onFailure.retries, overloadedRetries) : step.onFailure.retries;
  if (known.failures > allowed) return moveOfPolicy(step, known, failure);
  const backOff = failure.reason === "overloaded" ? Math.min(overloadedWaitCapMs, failure.retryAfterMs ?? 500 * 2 ** known.failures) : 0;
  const until = known.failedAt + Math.max(step.onFailure.retryEveryMs, backOff);
  if (until > now) return { kind: "suspend", until, why: `trying again (${known.failures} of ${allowed})`, step: step.id, asked: false };
  return { kind: "attempt", step, resume: false };
}

function moveOfRefusal(step: Step, refusal: NonNullable<StepView["refusal"]>, now: Instant): Move {
  if (refusal.retryAt !== undefined) {
    if (refusal.retryAt > now)
      return { kind: "suspend", until: refusal.retryAt, why: `${refusal.guardrail}: ${refusal.reason}`, step: step.id, asked: false };
    return { kind: "attempt", step, resume: false };
  }
  return record({ kind: "skipped", step: step.id, why: `${refusal.guardrail}: ${refusal.reason}` });
}

function moveOfPolicy(step: Step, known: StepView, failure: Failure | undefined): Move {
  const message = failure?.message ?? "The outcome is unknown.";
  const { then } = step.onFailure;
  switch (then.kind) {
    case "stop":
      return conclude(
        failure?.reason === "stopped_by_person" ? "aborted" : "failed",
        `Step ${step.number} "${step.name}": ${message}`,
        failure,
      );
    case "continue":
      return record({ kind: "skipped", step: step.id, why: `Failed, and the document says continue: ${message}` });
    case "go_to":
      return record({ kind: "skipped", step: step.id, why: `Failed: ${message}` }, { kind: "jumped", from: step.id, to: then.step });
    case "undo":
      return undoAll(`Step ${step.number} "${step.name}" failed: ${message}`, "undone");
    case "ask":
      return {
        kind: "ask",
        question: "ask",
        step,
        text: `Step ${step.number} "${step.name}" failed ${known.failures === 1 ? "once" : `${known.failures} times`}: ${message}`,
        answers: permittedAnswers.ask,
      };
  }
}

function nextCheck(
  view: RunView,
  kind: "prerequisite" | "verification",
  items: readonly CheckItem[],
  now: Instant,
  pace: Pace,
): Move | undefined {
  for (const [index, item] of items.entries()) {
    if (item.check === undefined) continue;
    const subject: CheckSubject = { kind, index };
    const seen = view.checks.get(checkKey(subject));
    if (seen === undefined) return { kind: "check", subject, item };
    if (seen.truth === "true") continue;
    if (kind === "verification") {
      const { withinMs } = item.check;
      if (withinMs === undefined || seen.lastAt >= seen.firstAt + withinMs) continue;
      const due = Math.min(seen.firstAt + withinMs, seen.lastAt + pollEvery(withinMs));
      if (due > now) return { kind: "suspend", until: due, why: `verifying: ${seen.detail}`, asked: false };
      return { kind: "check", subject, item };
    }
    const message = `Prerequisite ${index + 1} ${seen.truth === "false" ? "does not hold" : "could not be seen"}: ${seen.detail}`;
    if (seen.truth === "false") return conclude("failed", message, { reason: "prerequisite_false", message, applied: "no" });
    if (seen.tries >= prerequisiteTries) return conclude("inconclusive", message);
    const due = seen.lastAt + pace.prerequisiteEveryMs;
    if (due > now) return { kind: "suspend", until: due, why: message, asked: false };
    return { kind: "check", subject, item };
  }
  return undefined;
}

function verdictOf(runbook: Runbook, view: RunView): Move {
  const seen = runbook.verification.flatMap((item, index) =>
    item.check === undefined ? [] : [view.checks.get(checkKey({ kind: "verification", index }))?.truth ?? "inconclusive"],
  );
  if (seen.includes("false")) return conclude("ineffective", "The steps were done, but the Verification does not hold.");
  if (seen.includes("inconclusive")) return conclude("inconclusive", "The steps were done, but the Verification could not be seen.");
  return conclude(
    "succeeded",
    seen.length > 0 ? "Every step is done and the Verification holds." : "Every step is done; the document has no check to verify.",
  );
}

function nextUndo(runbook: Runbook, view: RunView, undoing: NonNullable<RunView["undoing"]>, now: Instant): Move {
  const effect = view.effects.findLast((done) => done.state !== "undone");
  if (effect === undefined) return conclude(undoing.outcome, undoing.why);
  const step = findStep(runbook, effect.step);
  if (step === undefined) return record({ kind: "undone", step: effect.step, note: "The document has no such step." });
  const open = view.question;
  if (effect.state === "undo_failed") {
    if (open === undefined || open.question.stepId !== step.id) {
      return {
        kind: "ask",
        question: "ask",
        step,
        text: `Undo of step ${step.number} "${step.name}" did not work: ${stepView(view, step.id).failure?.message ?? "unknown"}`,
        answers: ["retry", "skip", "stop"],
      };
    }
    if (open.answer === undefined) {
      if (open.question.expiresAt === undefined || open.question.expiresAt > now) {
        return {
          kind: "suspend",
          until: open.question.expiresAt ?? Number.POSITIVE_INFINITY,
          why: "waiting for a person: undo failed",
          step: step.id,
          asked: true,
        };
      }
      return conclude("failed", "An undo failed and nobody said what to do.", stepView(view, step.id).failure);
    }
    if (open.answer.answer === "skip") return record({ kind: "undone", step: step.id, note: `Left as it is by ${open.answer.by}.` });
    if (open.answer.answer === "stop") return conclude("failed", `Undo stopped by ${open.answer.by}.`, stepView(view, step.id).failure);
  }
  return { kind: "undo", step, effect };
}
