import type { RunRecord } from "./history.ts";
import { processOf } from "./machine-times.ts";

/** A time in which Redis could not be written. */
export interface Outage {
  readonly from: number;
  readonly to: number;
  /** What was done. */
  readonly kind?: string;
}

/**
 * Milliseconds from the loss of a run's holder to the claim by the next one, for every hold that a kill or a freeze cut short.
 * The clock starts at the last thing that was done to any process or to Redis before that claim: a successor that was itself cut short left no entry.
 */
export function resumeTimes(
  runs: readonly RunRecord[],
  cuts: readonly { readonly pid: number; readonly at: number }[],
  outages: readonly Outage[],
): readonly number[] {
  return runs.flatMap(({ entries }) => {
    const claims = entries.flatMap((entry) =>
      entry.kind === "claimed" ? [{ at: entry.at, epoch: entry.epoch ?? 0, pid: processOf(entry.worker) }] : [],
    );
    return claims.slice(1).flatMap((claim, index) => {
      const before = claims[index];
      if (before === undefined) return [];
      const lastWord = entries.findLast(({ epoch }) => epoch === before.epoch)?.at ?? before.at;
      // A hold that ended by suspending was not cut short.
      const suspended = entries.some((entry) => entry.epoch === before.epoch && (entry.kind === "suspended" || entry.kind === "asked"));
      const cut = cuts.find(({ pid, at }) => pid === before.pid && at >= lastWord - 5 && at <= claim.at);
      if (suspended || cut === undefined) return [];
      const starts = [
        cut.at,
        ...cuts.filter(({ at }) => at > cut.at && at < claim.at).map(({ at }) => at),
        // An outage ends for a worker a little before it ends for whoever caused it.
        ...outages.filter(({ from, to }) => to > cut.at && from < claim.at).map(({ to }) => Math.min(to, claim.at)),
      ];
      return [Math.max(0, claim.at - Math.max(...starts))];
    });
  });
}
