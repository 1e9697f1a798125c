import type { ActiveRun } from "./active-run.ts";
import { Attempt, deferred, proceed, recordFailure, type Stage, type StageOutcome } from "./attempt.ts";
import { bindCall } from "./bind-call.ts";
import type { MoveOf } from "./move.ts";
import { type Intent, type StepView, stepView } from "./run-view.ts";
import { approvalStage } from "./stages/approval-stage.ts";
import { freezeStage } from "./stages/freeze-stage.ts";
import { guardStage } from "./stages/guard-stage.ts";
import { continueIntentStage, intentStage } from "./stages/intent-stage.ts";
import { planStage } from "./stages/plan-stage.ts";
import { resultStage } from "./stages/result-stage.ts";
import { runStage } from "./stages/run-stage.ts";

/** An effect. Its intent is durable before the first byte is sent. */
const effectStages: readonly Stage[] = [planStage, guardStage, approvalStage, freezeStage, intentStage, runStage, resultStage];

/** A read changes nothing: it needs no permission and no intent. */
const readStages: readonly Stage[] = [planStage, runStage, resultStage];

/** An action that is called again to continue: what permitted its intent is not asked again. */
const continueStages: readonly Stage[] = [planStage, freezeStage, continueIntentStage, runStage, resultStage];

/**
 * One try of one step. Trouble of any kind is recorded, and `nextMove` decides what follows.
 * @throws LeaseLost
 * @throws NotReplicated when the intent may not survive the loss of the primary; nothing was sent.
 */
export async function attemptStep({ step, resume }: MoveOf<"attempt">, run: ActiveRun): Promise<StageOutcome> {
  if (step.action === undefined) throw new Error(`Step ${step.id} has no action to attempt.`);
  run.writer.receiveNotices();
  const state = stepView(run.writer.view, step.id);
  const resumed = resume ? state.intent : undefined;
  const number = resumed?.attempt ?? nextNumber(state);
  const bound = bindCall(step.action, run);
  if (!bound.ok) {
    recordFailure({ run, step, number }, bound.failure);
    return deferred;
  }
  const attempt = new Attempt({ run, step, action: bound.action, state, number, resumed });
  for (const stage of stagesOf(attempt)) {
    const outcome = await stage(attempt);
    if (outcome.kind !== "proceed") return outcome;
  }
  return proceed;
}

function stagesOf({ action, continues }: Attempt): readonly Stage[] {
  if (action.effect === "read") return readStages;
  return continues ? continueStages : effectStages;
}

/** A read that made progress goes on with its attempt; everything else begins a new one. */
function nextNumber({ progress, attempts }: Pick<StepView, "progress" | "attempts">): Intent["attempt"] {
  return progress === undefined ? attempts + 1 : Math.max(1, attempts);
}
