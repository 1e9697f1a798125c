import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { ActionContext } from "../../core/action.ts";
import type { ActiveRun } from "./active-run.ts";
import { stepView } from "./run-view.ts";

/** One call of an action for a step: an attempt, a probe, a check or an undo. */
export interface Invocation {
  readonly run: ActiveRun;
  readonly step: Step;
  /** Number of the attempt, from 1. */
  readonly number: number;
  readonly idempotencyKey: string;
  /** Time limit of the call in milliseconds. */
  readonly timeoutMs: number;
}

/** What the action receives. `cut`: aborts its signal beside the lease, the timeout and a stop. */
export function contextOf(invocation: Invocation, cut?: { readonly signal: AbortSignal }): ActionContext {
  const { run, step, number, timeoutMs } = invocation;
  const { writer, deps } = run;
  const { view } = writer;
  const { question, request } = view;
  // A stop cuts steps short, but not the report that tells people about the stop.
  const stoppable = view.concluded === undefined && view.undoing === undefined;
  let signal: AbortSignal | undefined;
  return {
    runId: view.runId,
    runbookId: request.runbookId,
    stepId: step.id,
    attempt: number,
    get idempotencyKey() {
      return invocation.idempotencyKey;
    },
    // Created when it is first read: every timeout stays alive until its time is over.
    get signal() {
      const cuts = [...(stoppable ? [writer.stopSignal] : []), ...(cut === undefined ? [] : [cut.signal])];
      signal ??= AbortSignal.any([writer.lostSignal, deps.clock.timeout(timeoutMs), ...cuts]);
      return signal;
    },
    clock: deps.clock,
    alert: request.alert,
    target: request.target,
    acceptedAt: view.acceptedAt,
    progress: stepView(view, step.id).progress,
    answer: question?.question.stepId === step.id && question.question.byAction === true ? question.answer?.answer : undefined,
    get results() {
      return Object.fromEntries(
        [...view.steps].flatMap(([id, other]) => (other.applied === undefined ? [] : [[id, other.applied.output]])),
      );
    },
  };
}
