import type { Verdict } from "../core/verdict.ts";
import type { Limits } from "./limits.ts";

const hourMs = 3_600_000;

/**
 * How many runs may start. A runbook with a step that lowers risk is not counted: what it raises is limited at its intent,
 * and a stop that waits for its turn is no stop.
 */
export function runRate(candidate: { readonly runbookId: string; readonly lowers: boolean }, limits: Limits): Verdict {
  if (candidate.lowers) return { kind: "allow", claims: [] };
  return {
    kind: "allow",
    claims: [
      { bucket: `run-rate:${candidate.runbookId}`, max: limits.runs_per_hour_runbook, windowMs: hourMs, amount: 1 },
      // A runbook's id has no colon.
      { bucket: "run-rate::all", max: limits.runs_per_hour, windowMs: hourMs, amount: 1 },
    ],
  };
}
