import type { Freeze } from "../../../packages/sdk/src/wire/freezes.ts";
import type { Plan } from "../../../packages/sdk/src/wire/plans.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { BoundAction } from "../../core/action.ts";
import { describeFreeze, type FreezeQuery, freezeScopesOf, isHeldBack } from "../../core/freeze.ts";
import type { AttemptDeps } from "./bind-call.ts";
import type { RunWriter } from "./run-writer.ts";

/** `noted`: the notes say what happened. `frozen`: nothing happened, and the run was given back until the freeze is lifted. */
export type Attempted = "noted" | "frozen";

/** Until a run that is held back looks again by itself; an end of the freeze wakes it at once. */
const frozenRetryMs = 5000;

/** What a freeze could hold back. Telling people is never held back: a freeze must not make the automation mute. */
export function freezeQueryOf(
  action: Pick<BoundAction, "name" | "risk">,
  plan: Pick<Plan, "targets">,
  undo: boolean,
  writer: RunWriter,
): FreezeQuery | undefined {
  if (action.risk === "none") return undefined;
  const { runbookId, target } = writer.view.request;
  const targets = target === undefined ? plan.targets : [target, ...plan.targets];
  return { scopes: freezeScopesOf({ runbookId, action: action.name, targets }), undo };
}

export async function outsideFreeze(query: FreezeQuery | undefined, deps: AttemptDeps): Promise<Freeze | undefined> {
  const freeze = query === undefined ? undefined : await deps.frozen?.();
  return query !== undefined && freeze !== undefined && isHeldBack(query, freeze) ? freeze : undefined;
}

/** Gives the run back until the freeze is lifted. It is told once: looking again and again leaves no trace. */
export async function restFrozen(step: Step, freeze: Freeze, writer: RunWriter, deps: AttemptDeps): Promise<"frozen"> {
  const { scope, by, reason } = freeze;
  writer.receiveNotices();
  const told = writer.view.frozen;
  const known = told?.step === step.id && told.scope === scope && told.by === by && told.reason === reason;
  if (!known || !writer.discardClaim()) writer.record({ kind: "frozen", step: step.id, scope, by, reason });
  if (!known) deps.observer.refused("freeze");
  await writer.flush({
    state: "suspended",
    summary: { step: step.name, note: describeFreeze(freeze) },
    release: { dueAt: deps.clock.now() + frozenRetryMs },
  });
  return "frozen";
}
