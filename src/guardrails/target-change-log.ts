import { canonicalTarget } from "../core/canonical-target.ts";
import { allowed, type Guardrail, isMutation } from "./guardrail.ts";
import { changeLogOf, changeRetentionMs, hashOf, type TargetChange } from "./target-change.ts";

/** Refuses nothing. It has every announced change written together with its intent, so that a later run can recognize a loop. */
export const targetChangeLog: Guardrail = ({ action, plan, runId }, { now }) => {
  if (!isMutation(action)) return allowed;
  return {
    kind: "allow",
    claims: plan.changes
      .map(({ target, ...change }) => ({ ...change, target: canonicalTarget(target) }))
      .map(({ target, field, before, after }) => ({
        log: changeLogOf(target),
        entry: JSON.stringify({ at: now, runId, target, field, before: hashOf(before), after: hashOf(after) } satisfies TargetChange),
        retentionMs: changeRetentionMs,
      })),
  };
};
