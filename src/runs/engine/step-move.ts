import type { Failure, FailureReason } from "../../../packages/sdk/src/wire/failures.ts";
import type { CheckSubject } from "../../../packages/sdk/src/wire/journal.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { permittedAnswers } from "../../core/question.ts";
import { evaluate, stepsWithoutResult, truthOf } from "../../runbooks/expressions/expression.ts";
import { conclude, type Move, type MoveContext, pollEvery, record, undoAll } from "./move.ts";
import { moveOfQuestion } from "./question-move.ts";
import { checkKey, type RunView, stepView } from "./run-view.ts";
import { scopeOf } from "./scope.ts";
import { failStep, type StepFacts } from "./step-facts.ts";
import { wantsPermission } from "./wants-permission.ts";

/*
 * The states of a step
 *
 * Fresh. Nothing is recorded, or a person has ordered a fresh start (`retried`). `When` is evaluated: false skips the step, and so
 * does one that cannot be seen because a step that it reads is over without a result; any other one that cannot be seen fails the
 * step. A step without an action asks a person to do it, and before that for the permission that its Approval wants. Any other step
 * is attempted.
 *
 * Asking (`asked`). The step waits for a person; question-move.ts has the states of a question.
 *
 * Waiting (`progressed`, `suspended`). Until the recorded time nothing happens; then the step is decided again.
 *
 * Refused (`refused`). A guardrail or a taken claim has refused the attempt. With a time to retry the step is attempted again at
 * that time; without one it is skipped (only in mode observe, elsewhere a refusal without a time is recorded as a failure too).
 *
 * Pending (`intent`). The effect may have begun, and no result is recorded: the worker crashed, or the outcome is unknown. An
 * action that has made progress is called again to continue. Otherwise the class of the effect decides:
 *   read, set, keyed   the intent is resumed with the same plan and key; after a few unknown outcomes the failure policy decides
 *   probed             once the effect has had time to settle, the target is asked: applied → Applied, not applied → Fresh,
 *                      cannot be asked → a person is asked
 *   once               a person is asked whether it happened; nothing is done until they answer
 *
 * Applied (`applied`). The effect happened. Without Expected, or when Expected is true, the step is completed. Until the time that
 * Expected allows is over, the effect is read again; after that the step fails.
 *
 * Failed (`failed`, certainly not applied). The step is attempted again as often as its policy says, later each time when the target
 * is overloaded. After that the policy decides: stop the run, continue with the next step, go to another one, undo, or ask a person.
 *
 * Over (`completed`, `skipped`). Nothing follows; the run takes the next step.
 *
 * A run that only observes attempts each step once and waits neither for people nor for effects: what it cannot do is skipped.
 */

/** Retrying these is useless: nothing that a retry could change decides them. */
const neverRetried: readonly FailureReason[] = [
  "invalid_parameters",
  "expression_error",
  "refused_by_guardrail",
  "stopped_by_person",
  "runbook_corrupt",
];
/** An overloaded target did nothing and said so, so that a retry needs no policy. */
const maxOverloadedRetries = 3;
const maxOverloadedWaitMs = 60_000;
/** After an unknown outcome, a repeatable effect is repeated this often even without a policy. */
const maxUnknownRetries = 2;

/** What to do next with one step. Undefined: the step is over. Pure, as `nextMove` is. */
export function moveOfStep(view: RunView, step: Step, { now, intervals }: MoveContext): Move | undefined {
  const state = stepView(view, step.id);
  if (state.over !== "no") return undefined;
  const facts: StepFacts = { view, step, state, now, intervals };
  return moveOfQuestion(facts) ?? moveOfWait(facts) ?? moveOfState(facts);
}

function moveOfWait({ view, step, now }: StepFacts): Move | undefined {
  const wait = view.waitUntil;
  if (wait === undefined || wait.step !== step.id || wait.until <= now) return undefined;
  return { kind: "suspend", until: wait.until, why: "waiting", step: step.id, asked: false };
}

function moveOfState(facts: StepFacts): Move {
  const { state } = facts;
  if (state.pending) return moveOfPending(facts);
  if (state.applied !== undefined) return moveOfApplied(facts, state.applied);
  if (state.failure !== undefined) return moveOfFailure(facts, state.failure);
  if (state.refusal !== undefined) return moveOfRefusal(facts, state.refusal);
  return moveOfFresh(facts);
}

function moveOfFresh(facts: StepFacts): Move {
  const { view, step } = facts;
  if (step.when !== undefined) {
    const { source } = step.when;
    const scope = scopeOf(view);
    const evaluation = evaluate(source, scope);
    const truth = truthOf(evaluation);
    if (truth === "false") return record({ kind: "skipped", step: step.id, why: `When \`${source}\` is false.` });
    if (truth === "inconclusive") {
      const [absent] = stepsWithoutResult(source, scope);
      if (absent !== undefined) return record({ kind: "skipped", step: step.id, why: whyAbsent(view, source, absent) });
      const what =
        evaluation.kind === "missing"
          ? `${evaluation.what} is missing`
          : evaluation.kind === "error"
            ? evaluation.message
            : "it is no truth value";
      return failStep(facts, "expression_error", `When \`${source}\` cannot be told: ${what}.`);
    }
  }
  if (step.action !== undefined) return { kind: "attempt", step, resume: false };
  if (view.request.mode === "observe") return record({ kind: "skipped", step: step.id, why: "Mode observe: a person does this." });
  // An answered question of this step that leads here is its permission; see question-move.ts.
  if (wantsPermission(step, view) && view.question?.question.stepId !== step.id)
    return { kind: "ask", question: "approve", step, text: `May this be done by hand? ${step.text}`, answers: permittedAnswers.approve };
  return { kind: "ask", question: "manual", step, text: step.text, answers: permittedAnswers.manual };
}

function whyAbsent(view: RunView, source: string, absent: string): string {
  const { over, failure } = stepView(view, absent);
  const end = failure === undefined ? (over === "skipped" ? "was skipped" : "was done by a person") : "failed";
  return `When \`${source}\` is false: step "${absent}" ${end} and has no result.`;
}

function moveOfPending(facts: StepFacts): Move {
  const { step, state, now, intervals } = facts;
  const { intent, failure } = state;
  if (intent === undefined) return { kind: "attempt", step, resume: false };
  if (state.progress !== undefined && failure === undefined) return { kind: "attempt", step, resume: true };
  switch (intent.effect) {
    case "read":
    case "set":
    case "keyed": {
      if (state.failures > Math.max(step.onFailure.retries, maxUnknownRetries)) return moveOfPolicy(facts, failure);
      const until = failure === undefined ? now : state.failedAt + Math.max(step.onFailure.retryEveryMs, 200 * 2 ** state.failures);
      if (until > now) return { kind: "suspend", until, why: "trying again after an unknown outcome", step: step.id, asked: false };
      return moveOfTimedRefusal(facts) ?? { kind: "attempt", step, resume: true };
    }
    case "probed": {
      const until = Math.max(state.intentAt, state.failedAt) + intervals.quarantineMs;
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

function moveOfApplied(facts: StepFacts, applied: NonNullable<StepFacts["state"]["applied"]>): Move {
  const { view, step, state, now } = facts;
  const { expected } = step;
  if (expected === undefined || state.expected?.truth === "true") return record({ kind: "completed", step: step.id });
  const { source } = expected.expression;
  const subject: CheckSubject = { kind: "expected", step: step.id };
  const evaluation = evaluate(source, scopeOf(view, applied.output));
  const truth = truthOf(evaluation);
  const detail =
    evaluation.kind === "value"
      ? `\`${source}\` is ${truth}`
      : evaluation.kind === "missing"
        ? `${evaluation.what} is missing`
        : evaluation.message;
  if (truth === "true" || view.request.mode === "observe")
    return record({ kind: "checked", subject, truth, detail }, { kind: "completed", step: step.id });
  if (expected.withinMs !== undefined) {
    const deadline = applied.at + expected.withinMs;
    const checked = view.checks.get(checkKey(subject));
    if (checked === undefined || checked.lastAt < deadline) {
      const due = Math.min(deadline, (checked?.lastAt ?? applied.at) + pollEvery(expected.withinMs));
      if (due > now) return { kind: "suspend", until: due, why: `waiting for \`${source}\``, step: step.id, asked: false };
      return { kind: "recheck", step, last: now >= deadline };
    }
  }
  return truth === "false"
    ? failStep(facts, "expectation_false", `Expected \`${source}\` does not hold.`)
    : failStep(facts, "expectation_inconclusive", `Expected \`${source}\` could not be seen: ${detail}.`);
}

function moveOfFailure(facts: StepFacts, failure: Failure): Move {
  const { view, step, state, now } = facts;
  if (view.request.mode === "observe")
    return record({ kind: "skipped", step: step.id, why: `Mode observe: it failed: ${failure.message}` });
  const { retries, retryEveryMs } = step.onFailure;
  const isOverloaded = failure.reason === "overloaded";
  const maxRetries = isOverloaded ? Math.max(retries, maxOverloadedRetries) : retries;
  if (neverRetried.includes(failure.reason) || state.failures > maxRetries) return moveOfPolicy(facts, failure);
  const backOffMs = isOverloaded ? Math.min(maxOverloadedWaitMs, failure.retryAfterMs ?? 500 * 2 ** state.failures) : 0;
  const until = state.failedAt + Math.max(retryEveryMs, backOffMs);
  if (until > now) return { kind: "suspend", until, why: `trying again (${state.failures} of ${maxRetries})`, step: step.id, asked: false };
  return moveOfTimedRefusal(facts) ?? { kind: "attempt", step, resume: false };
}

function moveOfRefusal(facts: StepFacts, { guardrail, reason, retryAt }: NonNullable<StepFacts["state"]["refusal"]>): Move {
  const { step } = facts;
  if (retryAt === undefined) return record({ kind: "skipped", step: step.id, why: `${guardrail}: ${reason}` });
  return moveOfTimedRefusal(facts) ?? { kind: "attempt", step, resume: false };
}

/** Waits for the time that a refusal of the last attempt named; a retry and a resumed intent wait as a first attempt does. Undefined: there is none to wait for. */
function moveOfTimedRefusal({ step, state: { refusal }, now }: StepFacts): Move | undefined {
  if (refusal?.retryAt === undefined || refusal.retryAt <= now) return undefined;
  return { kind: "suspend", until: refusal.retryAt, why: `${refusal.guardrail}: ${refusal.reason}`, step: step.id, asked: false };
}

function moveOfPolicy({ step, state }: StepFacts, failure: Failure | undefined): Move {
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
        text: `Step ${step.number} "${step.name}" failed ${state.failures === 1 ? "once" : `${state.failures} times`}: ${message}`,
        answers: permittedAnswers.ask,
      };
  }
}
