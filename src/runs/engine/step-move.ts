import type { Failure, FailureReason } from "../../../packages/sdk/src/wire/failures.ts";
import type { CheckSubject } from "../../../packages/sdk/src/wire/journal.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { Instant } from "../../core/clock.ts";
import { escalationOf, permittedAnswers } from "../../core/question.ts";
import { evaluate, truthOf } from "../../runbooks/expressions/expression.ts";
import { conclude, type Move, type Pace, pollEvery, record, undoAll } from "./move.ts";
import { checkKey, type RunView, type StepView, stepView } from "./run-view.ts";
import { scopeOf } from "./scope.ts";

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
 * What to do next with one step: its question → what waits → a pending effect → an applied one → a failure → a refusal → When → attempt.
 * Undefined: the step is over.
 */
export function moveOfStep(view: RunView, step: Step, now: Instant, pace: Pace): Move | undefined {
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
