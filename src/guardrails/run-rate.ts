import type { Risk } from "../core/action.ts";
import { hourMs } from "../core/duration.ts";
import type { Limits } from "../core/limits.ts";
import type { Verdict } from "../core/verdict.ts";

/**
 * How many runs of runbooks that raise something may start. A runbook that only looks is not counted, and neither is one with a step that
 * lowers risk: what it raises is limited at its intent, and a stop that waits for its turn is no stop.
 */
export function runRate(candidate: { readonly runbookId: string; readonly risks: readonly Risk[] }, limits: Limits): Verdict {
  if (!candidate.risks.includes("raises") || candidate.risks.includes("lowers")) return { kind: "allow", claims: [] };
  return {
    kind: "allow",
    claims: [
      { bucket: `run-rate:${candidate.runbookId}`, max: limits.runs_per_hour_runbook, windowMs: hourMs, amount: 1 },
      // A runbook's id has no colon.
      { bucket: "run-rate::all", max: limits.runs_per_hour, windowMs: hourMs, amount: 1 },
    ],
  };
}
