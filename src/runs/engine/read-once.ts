import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { StepFailure } from "../../core/failure.ts";
import { contextOf } from "./action-context.ts";
import type { ActiveRun } from "./active-run.ts";
import { bindCall } from "./bind-call.ts";
import { idempotencyKeyOf } from "./plan-sha.ts";

/** Runs a read action outside of the steps, for a check; throws what the action throws. */
export async function readOnce(step: Step, run: ActiveRun): Promise<{ readonly [key: string]: Json }> {
  if (step.action === undefined) return {};
  const bound = bindCall(step.action, run);
  if (!bound.ok) throw new StepFailure(bound.failure);
  const { action } = bound;
  const idempotencyKey = idempotencyKeyOf(run.writer.lease.runId, step.id, 1);
  const context = contextOf({ run, step, number: 1, idempotencyKey, timeoutMs: action.timeoutMs });
  const result = await action.run(await action.plan(context), context);
  if (result.kind !== "done") throw new StepFailure({ reason: "timeout", message: "The check did not finish.", applied: "no" });
  return result.output;
}
