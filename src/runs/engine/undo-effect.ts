import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { BoundAction } from "../../core/action.ts";
import { ensureFailure } from "../../core/failure.ts";
import type { FreezeQuery } from "../../core/freeze.ts";
import { contextOf, type Invocation } from "./action-context.ts";
import type { ActiveRun } from "./active-run.ts";
import { deferred, proceed, type StageOutcome } from "./attempt.ts";
import { bindCall } from "./bind-call.ts";
import { keepLowered } from "./keep-lowered.ts";
import type { MoveOf } from "./move.ts";
import { idempotencyKeyOf } from "./plan-sha.ts";
import type { DoneEffect } from "./run-view.ts";
import { LeaseLost, NotReplicated } from "./run-writer.ts";
import { freezeFromFile, freezeQueryOf, suspendForFreeze } from "./suspend-for-freeze.ts";

/** Everything that the call of an undo needs. */
interface Undo extends Invocation {
  readonly action: BoundAction;
  readonly effect: DoneEffect;
  readonly freezeQuery: FreezeQuery | undefined;
}

/**
 * Compensates one effect, by the step's Undo or by the action's own, unless it lowered risk or spend; recorded like an attempt, with an intent before and a result after.
 * @throws LeaseLost, NotReplicated
 */
export async function undoEffect({ step, effect }: MoveOf<"undo">, run: ActiveRun): Promise<StageOutcome> {
  const call = step.undo ?? step.action;
  if (call === undefined) throw new Error(`Step ${step.id} has no action to undo.`);
  const { writer } = run;
  if (lowered(effect, step, run)) {
    writer.record(keepLowered(effect));
    return proceed;
  }
  const bound = bindCall(call, run, effect.output);
  if (!bound.ok) {
    recordUndoFailure({ run, step }, bound.failure);
    return deferred;
  }
  const { action } = bound;
  if (step.undo === undefined && action.undo === undefined) {
    writer.record({ kind: "undone", step: step.id, note: `\`${action.name}\` leaves nothing that can be undone.` });
    return proceed;
  }
  const freezeQuery = freezeQueryOf({ action, plan: effect.intent.plan, undo: true }, writer.view.request);
  const freeze = await freezeFromFile(freezeQuery, run.deps);
  if (freeze !== undefined) return suspendForFreeze(freeze, step, run);
  const idempotencyKey = idempotencyKeyOf(writer.lease.runId, step.id, "undo");
  writer.record({ kind: "undo_intent", step: step.id, attempt: 1 });
  const result = await writer.flush({ precedes: "undo", ...(freezeQuery !== undefined && { freeze: freezeQuery }) });
  // An intent that was written stays: the undo begins with another one.
  if (result.kind === "ok" && result.unreplicated === true) throw new NotReplicated(writer.lease.runId);
  if (result.kind !== "ok") {
    writer.discardLast();
    if (result.kind === "frozen") return suspendForFreeze(result.freeze, step, run);
    throw new NotReplicated(writer.lease.runId);
  }
  await callUndo({ run, step, action, effect, freezeQuery, number: 1, idempotencyKey, timeoutMs: step.timeoutMs ?? action.timeoutMs });
  await writer.flush();
  return proceed;
}

/** The intents of an earlier version do not say what their action does to risk or spend. */
function lowered({ intent }: DoneEffect, { action }: Step, run: ActiveRun): boolean {
  if (intent.risk !== undefined || action === undefined) return false;
  const bound = bindCall(action, run);
  return bound.ok && bound.action.risk === "lowers";
}

async function callUndo(undo: Undo): Promise<void> {
  const { run, step, action, effect } = undo;
  const { writer } = run;
  await writer.assertLeased();
  writer.receiveNotices();
  using watch = run.deps.watchFreeze(undo.freezeQuery);
  const context = contextOf(undo, watch);
  try {
    if (step.undo === undefined) await action.undo?.(effect.intent.plan, effect.output, context);
    else await action.run(await action.plan(context), context);
    writer.record({ kind: "undone", step: step.id });
  } catch (error) {
    if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
    recordUndoFailure(undo, ensureFailure(error));
  }
}

function recordUndoFailure({ run, step }: Pick<Invocation, "run" | "step">, failure: Failure): void {
  run.writer.record({ kind: "undo_failed", step: step.id, attempt: 1, failure });
}
