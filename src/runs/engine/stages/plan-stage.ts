import type { Plan } from "../../../../packages/sdk/src/wire/plans.ts";
import { ensureFailure } from "../../../core/failure.ts";
import { contextOf } from "../action-context.ts";
import { type Attempt, deferred, proceed, recordFailure, type StageOutcome } from "../attempt.ts";

/** Longer than this after it was made, in milliseconds, a plan that a person permitted is made anew; if it then differs, it needs a new permission. */
const planMaxAgeMs = 600_000;

/** Decides what exactly will be done: as the resumed intent says, as a person has permitted, or as the action plans now. */
export async function planStage(attempt: Attempt): Promise<StageOutcome> {
  try {
    attempt.plan = attempt.resumed?.plan ?? approvedPlan(attempt) ?? (await attempt.action.plan(contextOf(attempt)));
    return proceed;
  } catch (error) {
    recordFailure(attempt, { ...ensureFailure(error), applied: "no" });
    return deferred;
  }
}

function approvedPlan({ approved, action, run }: Attempt): Plan | undefined {
  if (approved === undefined) return undefined;
  // What lowers risk is not held back by the age of its permission.
  const isOutdated = action.risk === "raises" && run.writer.now() - approved.plannedAt > planMaxAgeMs;
  return isOutdated ? undefined : approved.plan;
}
