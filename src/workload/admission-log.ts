import type { Instant } from "../core/clock.ts";
import type { AdmissionReason } from "./admission.ts";

/** What the gate did, in order: an admission, a refusal, or a change of the gate itself. Written in the same atomic step as what it tells of. */
export type AdmissionLogEntry =
  | {
      readonly kind: "admitted" | "wait" | "stop";
      readonly at: Instant;
      readonly budget: string;
      readonly ticketId: string;
      /** True when the ticket had no lease: it started, or went on after a pause. */
      readonly starts: boolean;
      readonly reason?: AdmissionReason;
    }
  | {
      readonly kind: "gate";
      readonly at: Instant;
      readonly budget: string;
      readonly gate: "open" | "paused";
      readonly pausedUntil?: Instant;
      readonly by: string;
    };

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
