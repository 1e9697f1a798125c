import { type Attempt, deferred, proceed, type StageOutcome } from "../attempt.ts";
import { freezeFromFile, freezeQueryOf, suspendForFreeze } from "../suspend-for-freeze.ts";

/** Ends the attempt when a stop has arrived, and suspends the run while the freeze in the file covers the effect. The freezes in Redis are compared by the script that writes the intent. */
export async function freezeStage(attempt: Attempt): Promise<StageOutcome> {
  const { run, step, action, plan } = attempt;
  run.writer.receiveNotices();
  // The script refuses an intent only for a stop that is not in the journal yet. Post-Action goes on after a stop.
  const { stop, concluded } = run.writer.view;
  if (stop !== undefined && concluded === undefined) return deferred;
  attempt.freezeQuery = freezeQueryOf({ action, plan, undo: false }, run.writer.view.request);
  const freeze = await freezeFromFile(attempt.freezeQuery, run.deps);
  return freeze === undefined ? proceed : suspendForFreeze(freeze, step, run);
}
