import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { ensureFailure } from "../../core/failure.ts";
import { type AttemptDeps, bindCall, contextOf } from "./bind-call.ts";
import { type Attempted, freezeQueryOf, outsideFreeze, restFrozen } from "./freeze-rest.ts";
import { watchFreeze } from "./freeze-watch.ts";
import type { DoneEffect } from "./run-view.ts";
import { LeaseLost, type RunWriter } from "./run-writer.ts";

/** Compensates one effect: by the step's Undo, or by the action's own. */
export async function undoEffect(step: Step, effect: DoneEffect, writer: RunWriter, deps: AttemptDeps): Promise<Attempted> {
  const call = step.undo ?? step.action;
  if (call === undefined) throw new Error(`Step ${step.id} has no action to undo.`);
  const bound = bindCall(call, writer, deps, effect.output);
  const failed = (failure: Failure) => writer.record({ kind: "undo_failed", step: step.id, attempt: 1, failure });
  if (!bound.ok) {
    failed(bound.failure);
    return "noted";
  }
  const { action } = bound;
  if (step.undo === undefined && action.undo === undefined) {
    writer.record({ kind: "undone", step: step.id, note: `\`${action.name}\` leaves nothing that can be undone.` });
    return "noted";
  }
  const context = contextOf(writer, step, 1, "undo", step.timeoutMs ?? action.timeoutMs, deps);
  const query = freezeQueryOf(action, effect.intent.plan, true, writer);
  const outside = await outsideFreeze(query, deps);
  if (outside !== undefined) return restFrozen(step, outside, writer, deps);
  writer.record({ kind: "undo_intent", step: step.id, attempt: 1, idempotencyKey: context.idempotencyKey });
  const reply = await writer.flush(query === undefined ? {} : { freeze: query });
  if (reply.kind === "frozen") {
    writer.discardLast();
    return restFrozen(step, reply.freeze, writer, deps);
  }
  await writer.assertHeld();
  writer.receiveNotices();
  using watch = watchFreeze(query, deps);
  const cuttable = contextOf(writer, step, 1, "undo", step.timeoutMs ?? action.timeoutMs, deps, watch);
  try {
    if (step.undo === undefined) await action.undo?.(effect.intent.plan, effect.output, cuttable);
    else await action.run(await action.plan(cuttable), cuttable);
    writer.record({ kind: "undone", step: step.id });
  } catch (error) {
    if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
    failed(ensureFailure(error));
  }
  await writer.flush();
  return "noted";
}
