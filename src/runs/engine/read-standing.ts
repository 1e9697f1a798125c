import { ensureFailure } from "../../core/failure.ts";
import type { ActiveRun } from "./active-run.ts";
import type { StandingResult } from "./alert-standing.ts";
import { LeaseLost } from "./run-writer.ts";

const preflightTimeoutMs = 15_000;

/**
 * Asks the Alertmanagers whether the run's alert still fires; `unknown` when that cannot be found out.
 * @throws LeaseLost
 */
export async function readStanding({ writer, deps }: ActiveRun): Promise<StandingResult> {
  const { alert } = writer.view.request;
  if (deps.standing === undefined || alert === undefined) return { kind: "unknown", detail: "no Alertmanager is configured" };
  try {
    return await deps.standing.ask(alert, AbortSignal.any([writer.lostSignal, deps.clock.timeout(preflightTimeoutMs)]));
  } catch (error) {
    if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
    return { kind: "unknown", detail: ensureFailure(error).message };
  }
}
