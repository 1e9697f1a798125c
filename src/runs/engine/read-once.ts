import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { StepFailure } from "../../core/failure.ts";
import { type AttemptDeps, bindCall, contextOf } from "./bind-call.ts";
import type { RunWriter } from "./run-writer.ts";

/** Runs a read action outside of the steps, for a check; throws what the action throws. */
export async function readOnce(step: Step, writer: RunWriter, deps: AttemptDeps): Promise<{ readonly [key: string]: Json }> {
  if (step.action === undefined) return {};
  const bound = bindCall(step.action, writer, deps);
  if (!bound.ok) throw new StepFailure(bound.failure);
  const context = contextOf(writer, step, 1, 1, bound.action.timeoutMs, deps);
  const result = await bound.action.run(await bound.action.plan(context), context);
  if (result.kind !== "done") throw new StepFailure({ reason: "timeout", message: "The check did not finish.", applied: "no" });
  return result.output;
}
