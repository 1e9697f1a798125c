import type { ArmCounts, RolloutCost, RolloutPlan, RolloutStratum } from "../../../packages/sdk/src/wire/rollouts.ts";
import { minPerArm, sequenceFactor } from "./sequential-decision.ts";

/** One-sided errors over all looks. "Cheap" under drift exceeds what it claims by a little, so that it is asked more strictly. */
const dearAlpha = 0.05;
const cheapAlpha = 0.02;

/** Both arms of one step. */
export type CostStratum = Pick<RolloutStratum, "canary" | "baseline">;

/**
 * Compares the cost per success, failed attempts included, canary to baseline. Both arms are standardized with the same weights `w = c·b/(c+b)`:
 * `Δ = ln(Σw·C̄_c/Σw·C̄_b) − ln(Σw·q_c/Σw·q_b)`. Inverse variances would not do as weights, as they go with the means. The variance is the delta method's
 * (W. G. Cochran, Sampling Techniques, 3rd edition (1977), chapter 6).
 */
export function compareCost(
  strata: readonly CostStratum[],
  { plannedTickets, costLimit }: Pick<RolloutPlan, "plannedTickets" | "costLimit">,
): RolloutCost {
  const arms = [...strata.map(({ canary }) => canary), ...strata.map(({ baseline }) => baseline)];
  if (arms.some(({ unpriced }) => unpriced > 0)) return { kind: "unknown", because: "unpriced" };
  const total = (arm: keyof CostStratum, field: "ended" | "costMicroUsd") => strata.reduce((sum, stratum) => sum + stratum[arm][field], 0);
  if (Math.min(total("canary", "ended"), total("baseline", "ended")) < minPerArm) return { kind: "unknown", because: "too_few" };
  if (total("canary", "costMicroUsd") === 0) return { kind: "free" };
  if (total("baseline", "costMicroUsd") === 0) return { kind: "unknown", because: "baseline_free" };
  const tickets = total("canary", "ended") + total("baseline", "ended");
  const { canary, baseline } = standardize(strata);
  if (!(canary.cost > 0 && baseline.cost > 0)) return { kind: "unknown", because: "too_few" };
  if (!(canary.quality > 0 && baseline.quality > 0)) return { kind: "unknown", because: "no_success" };
  const logRatio = Math.log(canary.cost / baseline.cost) - Math.log(canary.quality / baseline.quality);
  const deviation = Math.sqrt(logVariance(strata, { canary, baseline }) * tickets);
  const halfWidthDear = deviation * sequenceFactor(tickets, plannedTickets, dearAlpha);
  const halfWidthCheap = deviation * sequenceFactor(tickets, plannedTickets, cheapAlpha);
  return {
    kind: "compared",
    logRatio,
    halfWidthDear,
    halfWidthCheap,
    shownDear: costLimit !== null && logRatio - halfWidthDear > Math.log(costLimit),
    shownCheap: costLimit !== null && logRatio + halfWidthCheap < Math.log(costLimit),
  };
}

/** Weighted sums over the steps of mean cost and of mean quality. */
interface Standardized {
  readonly cost: number;
  readonly quality: number;
}

type StandardizedArms = { readonly [Arm in keyof CostStratum]: Standardized };

/** A variance needs two tickets. */
function isComparable({ canary, baseline }: CostStratum): boolean {
  return canary.ended >= 2 && baseline.ended >= 2;
}

function weightOf({ canary, baseline }: CostStratum): number {
  return (canary.ended * baseline.ended) / (canary.ended + baseline.ended);
}

function standardize(strata: readonly CostStratum[]): StandardizedArms {
  const sum = (arm: keyof CostStratum, field: "costMicroUsd" | "quality") =>
    strata.filter(isComparable).reduce((total, stratum) => total + (weightOf(stratum) * stratum[arm][field]) / stratum[arm].ended, 0);
  return {
    canary: { cost: sum("canary", "costMicroUsd"), quality: sum("canary", "quality") },
    baseline: { cost: sum("baseline", "costMicroUsd"), quality: sum("baseline", "quality") },
  };
}

/**
 * How success spreads, and how it goes with cost, is taken from the baseline for both arms. A failure of the canary then raises its cost per success and widens
 * no interval, so that it never hides what is dear. A covariance that would narrow the interval is left out.
 */
function logVariance(strata: readonly CostStratum[], { canary, baseline }: StandardizedArms): number {
  let variance = 0;
  for (const stratum of strata.filter(isComparable)) {
    const success =
      spread(stratum.baseline, "quality") / baseline.quality ** 2 -
      (2 * Math.min(0, covariance(stratum.baseline))) / (baseline.quality * baseline.cost);
    variance +=
      weightOf(stratum) ** 2 *
      ((spread(stratum.canary, "cost") / canary.cost ** 2 + success) / stratum.canary.ended +
        (spread(stratum.baseline, "cost") / baseline.cost ** 2 + success) / stratum.baseline.ended);
  }
  return variance;
}

/** Sample variance. */
function spread({ ended, costMicroUsd, costSquares, quality, qualitySquares }: ArmCounts, of: "cost" | "quality"): number {
  const [sum, squares] = of === "cost" ? [costMicroUsd, costSquares] : [quality, qualitySquares];
  return Math.max(0, (squares - sum ** 2 / ended) / (ended - 1));
}

function covariance({ ended, costMicroUsd, quality, costQuality }: ArmCounts): number {
  return (costQuality - (costMicroUsd * quality) / ended) / (ended - 1);
}
