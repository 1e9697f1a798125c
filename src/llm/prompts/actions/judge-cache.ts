import { formatShare } from "../../../core/share.ts";
import type { VersionMeasure } from "../../caching/compare-versions.ts";
import type { RolloutGuard } from "../../rollouts/next-rollout-move.ts";

/** What the samples of the prompt say of the version on trial; `none` before its first step. */
export interface CacheMeasure {
  readonly candidate: VersionMeasure | undefined | "none";
  readonly baselineHit: number | undefined;
  /** Upper end of the interval of cost per request, canary to baseline. */
  readonly costRatioUpper: number | undefined;
}

/** The canary must reach this part of what was predicted, and no more than 80 % is ever asked. */
const reached = 0.9;
const sufficientHit = 0.8;
/** Reading less than the baseline by this much is harm. */
const worse = 0.05;

/** The hit ratio that counts as success. */
export function neededHit(predictedHit: number): number {
  return Math.min(sufficientHit, reached * predictedHit);
}

/**
 * Judges what the version on trial reads from the cache. `broken`: it reads less than the version before. `unseen`: nothing was seen of it, it is not shown
 * to be cheaper, or it is at its last step and does not read yet what was predicted.
 */
export function judgeCache(
  { candidate, baselineHit, costRatioUpper }: CacheMeasure,
  { predictedHit, isLast }: { readonly predictedHit: number; readonly isLast: boolean },
): RolloutGuard {
  if (candidate === "none") return { kind: "clear" };
  if (candidate === undefined || candidate.tickets === 0) return { kind: "unseen", text: "no request of it was sampled in this step" };
  const shown = formatShare(candidate.hit, { decimals: 1 });
  if (baselineHit !== undefined && candidate.hit < baselineHit - worse)
    return { kind: "broken", text: `it reads ${shown} from the cache, the version before ${formatShare(baselineHit, { decimals: 1 })}` };
  if (costRatioUpper === undefined || costRatioUpper >= 1)
    return { kind: "unseen", text: `it is not shown to be cheaper (ratio up to ${costRatioUpper?.toFixed(2) ?? "unknown"})` };
  const needed = neededHit(predictedHit);
  if (isLast && candidate.hit < needed)
    return { kind: "unseen", text: `it reads ${shown} from the cache; ${formatShare(needed, { decimals: 1 })} is needed` };
  return { kind: "clear" };
}
