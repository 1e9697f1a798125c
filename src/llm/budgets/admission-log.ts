import type { AdmissionLogEntry } from "../../../packages/sdk/src/wire/admissions.ts";
import type { Instant } from "../../core/clock.ts";

/**
 * Replays the log, oldest entry first, and counts tickets of `budget` that were let in while its gate was closed. The gate's own rule is not consulted:
 * this is the evidence that the rule held.
 */
export function countStartsWhilePaused(log: readonly AdmissionLogEntry[], budget: string): number {
  let closed: { readonly until: Instant } | undefined;
  let count = 0;
  for (const entry of log) {
    if (entry.budget !== budget) continue;
    if (entry.kind === "gate") closed = entry.gate === "paused" ? { until: entry.pausedUntil ?? Number.POSITIVE_INFINITY } : undefined;
    else if (entry.kind === "admitted" && closed !== undefined && entry.at < closed.until) count += 1;
  }
  return count;
}
