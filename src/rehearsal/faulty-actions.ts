import type { Action, BoundAction } from "../core/action.ts";
import { StepFailure } from "../core/failure.ts";
import type { FaultOutcome } from "./rehearsal.ts";

/** What a step's next call meets; see `Rehearsal.faults`. */
export interface StepFaults {
  /** The outcome of this call of the step; undefined when nothing is scripted for it (any more). */
  next(stepId: string): FaultOutcome | undefined;
  /** Whether the worker dies here, once. It never returns then. */
  crash(when: "before" | "after", stepId: string): Promise<void>;
  /** The step's action has worked, and nothing of it is written yet. */
  worked(stepId: string): void;
}

/** Actions whose calls are cut off, refused or answered into nothing as the rehearsal says. */
export function faultyActions(
  actions: { find(name: string): Action | undefined },
  faults: StepFaults,
): { find(name: string): Action | undefined } {
  return {
    find(name) {
      const action = actions.find(name);
      if (action === undefined) return undefined;
      return {
        ...action,
        bind(parameters) {
          const bound = action.bind(parameters);
          return bound.ok ? { ok: true, action: faulty(bound.action, faults) } : bound;
        },
      };
    },
  };
}

function faulty(action: BoundAction, faults: StepFaults): BoundAction {
  return {
    ...action,
    async run(plan, context) {
      await faults.crash("before", context.stepId);
      const outcome = faults.next(context.stepId) ?? { kind: "ok" };
      const answer = outcome.status === undefined ? outcome.kind : `${outcome.kind} (${outcome.status})`;
      switch (outcome.kind) {
        case "refused":
          throw new StepFailure({ reason: "refused_by_target", message: `Rehearsed answer of the target: ${answer}.`, applied: "no" });
        case "overloaded":
          throw new StepFailure({ reason: "overloaded", message: `Rehearsed answer of the target: ${answer}.`, applied: "no" });
        case "timeout":
          throw new StepFailure({ reason: "timeout", message: "Rehearsed: nobody answered.", applied: "unknown" });
        case "unknown":
          await action.run(plan, context);
          throw new StepFailure({ reason: "unknown_outcome", message: `Rehearsed: the answer was lost, ${answer}.`, applied: "unknown" });
        case "ok": {
          const result = await action.run(plan, context);
          if (result.kind === "done") faults.worked(context.stepId);
          await faults.crash("after", context.stepId);
          return result;
        }
      }
    },
  };
}
