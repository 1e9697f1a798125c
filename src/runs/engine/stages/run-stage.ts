import { ensureFailure } from "../../../core/failure.ts";
import { contextOf } from "../action-context.ts";
import { type Attempt, proceed, type StageOutcome } from "../attempt.ts";
import { LeaseLost } from "../run-writer.ts";

/** Calls the action under a lease that is certain to last. A freeze that is set during the call aborts its signal. */
export async function runStage(attempt: Attempt): Promise<StageOutcome> {
  const { run, action, plan } = attempt;
  const { writer } = run;
  await writer.assertLeased();
  writer.receiveNotices();
  using watch = run.deps.watchFreeze(attempt.freezeQuery);
  const context = contextOf(attempt, watch);
  try {
    attempt.result = await action.run(plan, context);
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    attempt.result = { kind: "failed", failure: ensureFailure(error) };
  }
  if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
  return proceed;
}
