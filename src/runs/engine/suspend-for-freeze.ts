import type { Freeze } from "../../../packages/sdk/src/wire/freezes.ts";
import type { Plan } from "../../../packages/sdk/src/wire/plans.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { RunRequest } from "../../../packages/sdk/src/wire/runs.ts";
import type { BoundAction } from "../../core/action.ts";
import { describeFreeze, type FreezeQuery, freezeScopesOf, isFrozenBy } from "../../core/freeze.ts";
import type { ActiveRun, ActiveRunDeps } from "./active-run.ts";
import { type StageOutcome, suspended } from "./attempt.ts";

/** A frozen run is tried again after this long; the end of the freeze wakes it at once. */
const frozenRetryMs = 5000;

/** What a freeze could stop. */
export interface FreezableEffect {
  readonly action: Pick<BoundAction, "name" | "risk">;
  readonly plan: Pick<Plan, "targets">;
  readonly undo: boolean;
}

/** The scopes of an effect. Undefined: no freeze stops it, because it only notifies people, and a freeze must not silence the automation. */
export function freezeQueryOf({ action, plan, undo }: FreezableEffect, { runbookId, target }: RunRequest): FreezeQuery | undefined {
  if (action.risk === "none") return undefined;
  const targets = target === undefined ? plan.targets : [target, ...plan.targets];
  return { scopes: freezeScopesOf({ runbookId, action: action.name, targets }), undo };
}

/** The freeze in the file, if it covers the effect. */
export async function freezeFromFile(query: FreezeQuery | undefined, deps: Pick<ActiveRunDeps, "frozen">): Promise<Freeze | undefined> {
  const freeze = query === undefined ? undefined : await deps.frozen?.();
  return query !== undefined && freeze !== undefined && isFrozenBy(query, freeze) ? freeze : undefined;
}

/** Releases the run until the freeze ends. The freeze is recorded once; later tries under the same freeze leave no entry. */
export async function suspendForFreeze(freeze: Freeze, step: Step, { writer, deps }: ActiveRun): Promise<StageOutcome> {
  writer.receiveNotices();
  const { scope, by, reason } = freeze;
  const recorded = writer.view.frozen;
  const isRecorded = recorded?.step === step.id && recorded.scope === scope && recorded.by === by && recorded.reason === reason;
  if (!isRecorded || !writer.discardClaim()) writer.record({ kind: "frozen", step: step.id, scope, by, reason });
  if (!isRecorded) deps.publish({ kind: "step_refused", guardrail: "freeze" });
  await writer.flush({
    state: "suspended",
    summary: { step: step.name, note: describeFreeze(freeze) },
    release: { dueAt: deps.clock.now() + frozenRetryMs },
  });
  return suspended;
}
