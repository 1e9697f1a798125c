import { type Attempt, proceed, type StageOutcome } from "../attempt.ts";
import { freezeFromFile, freezeQueryOf, suspendForFreeze } from "../suspend-for-freeze.ts";

/** Suspends the run while the freeze in the file covers the effect. The freezes in Redis are compared by the script that writes the intent. */
export async function freezeStage(attempt: Attempt): Promise<StageOutcome> {
  const { run, step, action, plan } = attempt;
  run.writer.receiveNotices();
  attempt.freezeQuery = freezeQueryOf({ action, plan, undo: false }, run.writer.view.request);
  const freeze = await freezeFromFile(attempt.freezeQuery, run.deps);
  return freeze === undefined ? proceed : suspendForFreeze(freeze, step, run);
}
