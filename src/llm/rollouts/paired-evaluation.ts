import { createRandom, hash32 } from "../../core/random.ts";
import { formatShare } from "../../core/share.ts";
import { normalQuantile, studentQuantile } from "./quantiles.ts";

/** One ticket, done with the old and with the new version. Quality is 0 to 1: 1 for accepted, or a judge's score. Costs are micro-USD of all attempts. */
export interface PairedTicket {
  readonly oldQuality: number;
  readonly newQuality: number;
  readonly oldCostMicroUsd: number;
  readonly newCostMicroUsd: number;
}

/** What must be shown. */
export interface PairedPolicy {
  /** The new version may be worse by less than this, 0 to 1; 0.1 by default. */
  readonly margin?: number;
  /** The upper end of the interval of the cost ratio must lie below it; 1 by default, which demands a saving. */
  readonly maxCostRatio?: number;
  /** The run or rollout: equal pairs give an equal verdict. */
  readonly seed: string;
}

/**
 * `pass`: not worse by the margin, and cheap enough. `worse`: quality is not shown to be within the margin, perhaps for want of pairs; `needed` says how many.
 * `dear`: the cost is not shown to be below the limit.
 */
export interface PairedVerdict {
  readonly verdict: "pass" | "worse" | "dear";
  /** For people. */
  readonly sentence: string;
  readonly pairs: number;
  /** Whether quality is shown to be within the margin. */
  readonly notWorse: boolean;
  /** Mean difference of quality, new minus old, and the ends of its one-sided 95 % intervals; -1 and 1 without pairs. */
  readonly qualityDifference: number;
  readonly qualityLower: number;
  readonly qualityUpper: number;
  /** Share of the pairs whose qualities differ. */
  readonly discordance: number;
  /** New to old, with a two-sided 95 % interval; undefined without cost. */
  readonly costRatio?: { readonly lower: number; readonly point: number; readonly upper: number };
  /** Pairs that show non-inferiority of an equal version in four of five cases, at the discordance seen. */
  readonly needed: number;
}

/** A little stricter than 5 %: with so few pairs the t statistic of three-valued differences rejects somewhat too often. */
const alpha = 0.04;
const resamples = 2000;
/** Of the exact bound, which holds without the bootstrap. */
const exactAlpha = 0.05;
/** From this many pairs on the percentile bootstrap covers what it claims; with fewer the interval is widened to the next level. */
const sufficientPairs = 100;

/** Pairs for a power of 80 % at one-sided 5 %: (z_0.95 + z_0.80)²·discordance/margin². Discordance is the share of pairs with different outcomes. */
export function neededPairs(discordance: number, margin: number): number {
  const reach = normalQuantile(0.95) + normalQuantile(0.8);
  return Math.ceil((reach ** 2 * discordance) / margin ** 2);
}

/**
 * Compares two versions on the same tickets: non-inferiority of quality by the paired t interval, which is never narrower than the exact one for "no pair was
 * worse"; cost by a percentile bootstrap of ln(mean new/mean old) that
 * resamples pairs. B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. Pure and reproducible: randomness comes from the seed.
 */
export function evaluatePairs(pairs: readonly PairedTicket[], { margin = 0.1, maxCostRatio = 1, seed }: PairedPolicy): PairedVerdict {
  const differences = pairs.map(({ oldQuality, newQuality }) => newQuality - oldQuality);
  const count = differences.length;
  const mean = sum(differences) / Math.max(1, count);
  const variance = sum(differences.map((value) => (value - mean) ** 2)) / Math.max(1, count - 1);
  // Pairs that do not differ have no variance, and a few of them prove nothing: that number in a row is seen with probability 1 − width at that width.
  const width =
    count < 2
      ? Number.POSITIVE_INFINITY
      : Math.max(studentQuantile(1 - alpha, count - 1) * Math.sqrt(variance / count), 1 - exactAlpha ** (1 / count));
  const qualityLower = Math.max(-1, mean - width);
  const qualityUpper = Math.min(1, mean + width);
  const notWorse = qualityLower > -margin;
  const discordance = differences.filter((value) => value !== 0).length / Math.max(1, count);
  const needed = Math.max(Math.ceil(Math.log(exactAlpha) / Math.log(1 - margin)), neededPairs(discordance, margin));
  const costRatio = bootstrapRatio(pairs, seed);
  const quality = { pairs: count, notWorse, qualityDifference: mean, qualityLower, qualityUpper, discordance, needed };
  const facts = { ...quality, ...(costRatio === undefined ? {} : { costRatio }) };
  if (!notWorse) {
    return {
      ...facts,
      verdict: "worse",
      sentence: `On ${count} tickets quality changed by ${points(mean)}, at worst by ${points(qualityLower)}; it is not shown to be within ${points(margin)}. About ${needed} tickets show an equal version to be equal.`,
    };
  }
  if (costRatio === undefined || costRatio.upper >= maxCostRatio) {
    return {
      ...facts,
      verdict: "dear",
      sentence:
        costRatio === undefined
          ? "There is no cost to compare."
          : `The new version costs ${formatShare(costRatio.point)} of the old one, at most ${formatShare(costRatio.upper)}; below ${formatShare(maxCostRatio)} is asked for.`,
    };
  }
  return {
    ...facts,
    verdict: "pass",
    sentence: `On ${count} tickets the new version is not worse by ${points(margin)} and costs ${formatShare(costRatio.point)} of the old one, at most ${formatShare(costRatio.upper)}.`,
  };
}

function bootstrapRatio(pairs: readonly PairedTicket[], seed: string): PairedVerdict["costRatio"] {
  const before = sum(pairs.map(({ oldCostMicroUsd }) => oldCostMicroUsd));
  const after = sum(pairs.map(({ newCostMicroUsd }) => newCostMicroUsd));
  if (before <= 0 || after <= 0) return undefined;
  const random = createRandom(hash32(seed));
  const olds = Float64Array.from(pairs, ({ oldCostMicroUsd }) => oldCostMicroUsd);
  const news = Float64Array.from(pairs, ({ newCostMicroUsd }) => newCostMicroUsd);
  const drawn = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample += 1) {
    let old = 0;
    let now = 0;
    for (let draw = 0; draw < pairs.length; draw += 1) {
      const pair = Math.floor(random() * pairs.length);
      old += olds[pair] ?? 0;
      now += news[pair] ?? 0;
    }
    drawn[resample] = now / old;
  }
  drawn.sort();
  const outside = pairs.length < sufficientPairs ? 0.01 : 0.025;
  const at = (share: number) => drawn[Math.min(resamples - 1, Math.max(0, Math.round(share * resamples) - 1))] ?? 0;
  return { lower: at(outside), point: after / before, upper: at(1 - outside) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function points(share: number): string {
  return `${Math.round(share * 1000) / 10} percentage points`;
}
