import type { WorkloadChange } from "../../../packages/sdk/src/wire/changes.ts";
import { costDimensions } from "../../../packages/sdk/src/wire/cost-dimension.ts";
import type { CoincidingChange, Segment } from "../../../packages/sdk/src/wire/costs.ts";
import type { Instant } from "../../core/clock.ts";

const maxChanges = 3;

/**
 * Changes in [onset − before, onset + after] by how well they fit the segment: (|shared| + 1)/(|all| + 1) over what change and segment name, times
 * exp(−distance/decay). The 1 stands for the workload that both are part of: a change that names nothing concerns everything a little,
 * and one that names another element than the segment fits less than that. Best first, three at most.
 */
export function coincidingChanges(
  changes: readonly WorkloadChange[],
  segment: Segment,
  {
    onset,
    beforeMs,
    afterMs,
    decayMs,
  }: { readonly onset: Instant; readonly beforeMs: number; readonly afterMs: number; readonly decayMs: number },
): readonly CoincidingChange[] {
  return changes
    .filter(({ at }) => at >= onset - beforeMs && at <= onset + afterMs)
    .map((change) => ({ ...change, score: fit(change, segment) * Math.exp(-Math.abs(onset - change.at) / decayMs) }))
    .toSorted((a, b) => b.score - a.score || b.at - a.at || (a.ref < b.ref ? -1 : 1))
    .slice(0, maxChanges);
}

function fit({ dims }: WorkloadChange, segment: Segment): number {
  const shared = costDimensions.filter((dimension) => dims[dimension] !== undefined && dims[dimension] === segment[dimension]).length;
  const all = Object.keys(dims).length + Object.keys(segment).length - shared;
  return (shared + 1) / (all + 1);
}
