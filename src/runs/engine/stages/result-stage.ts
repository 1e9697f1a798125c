import type { Failure } from "../../../../packages/sdk/src/wire/failures.ts";
import type { ActionResult } from "../../../core/action.ts";
import { askPeople } from "../ask-people.ts";
import { type Attempt, proceed, recordFailure, type StageOutcome } from "../attempt.ts";
import type { StepEnded } from "../run-event.ts";
import { sampleMetrics } from "../sample-metrics.ts";

/** Records how the call ended. A result that must not be asked for twice is written at once; a repeatable one is written with the next intent. */
export async function resultStage(attempt: Attempt): Promise<StageOutcome> {
  const { run, action } = attempt;
  recordResult(attempt);
  if (action.effect === "read") return proceed;
  await sampleMetrics(run);
  if (action.effect !== "set") await run.writer.flush();
  return proceed;
}

function recordResult(attempt: Attempt): void {
  const { run, step, number, result } = attempt;
  const { writer, deps } = run;
  switch (result.kind) {
    case "done":
      recordOutput(attempt, result);
      break;
    case "continue":
      writer.record({
        kind: "progressed",
        step: step.id,
        attempt: number,
        progress: result.progress,
        until: deps.clock.now() + result.afterMs,
        ...(result.early === true && { early: true }),
      });
      break;
    case "ask":
      writer.record({ kind: "progressed", step: step.id, attempt: number, progress: result.progress, until: deps.clock.now() });
      askPeople(run, step, { kind: "ask", text: result.question, answers: result.answers, byAction: true });
      break;
    case "failed":
      recordThrown(attempt, result.failure);
      break;
  }
}

function recordOutput(attempt: Attempt, { output }: Extract<ActionResult, { readonly kind: "done" }>): void {
  const { run, step, action, number } = attempt;
  const { writer, deps } = run;
  writer.receiveNotices();
  const isFirstEffect = action.effect !== "read" && writer.view.effects.length === 0;
  writer.record({ kind: "applied", step: step.id, attempt: number, output });
  reportEnd(attempt, "completed");
  if (isFirstEffect) deps.publish({ kind: "first_effect", afterAcceptMs: deps.clock.now() - writer.view.acceptedAt });
}

function recordThrown(attempt: Attempt, failure: Failure): void {
  const { effect } = attempt.action;
  // A read changes nothing, however it ended.
  recordFailure(attempt, effect === "read" ? { ...failure, applied: "no" } : failure);
  reportEnd(attempt, failure.applied === "unknown" && effect === "once" ? "in_doubt" : "failed");
}

function reportEnd({ run, step, action, plan, startedAt }: Attempt, outcome: StepEnded["outcome"]): void {
  run.deps.publish({
    kind: "step_ended",
    runId: run.writer.lease.runId,
    stepId: step.id,
    action: action.name,
    outcome,
    ms: run.deps.clock.monotonic() - startedAt,
    targets: plan.targets,
  });
}
