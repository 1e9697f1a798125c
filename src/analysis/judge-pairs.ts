/** Quality of one ticket's work with both versions, 0 to 1. */
export interface QualityPair {
  readonly baseline: number;
  readonly candidate: number;
}

/** Whether the candidate is proven not to be worse by more than the margin. */
export interface PairVerdict {
  readonly nonInferior: boolean;
  readonly pairs: number;
  /** Mean of candidate − baseline. */
  readonly difference: number;
  /** Lower end of a one-sided 95 % interval of it. */
  readonly lower: number;
  /** Share of the pairs whose qualities differ. */
  readonly discordant: number;
  /** For people. */
  readonly sentence: string;
}

const z95 = 1.645;

/**
 * Paired non-inferiority: the lower end of the difference must lie above −margin. The end is the smaller of Student's and the exact one for "no pair was worse"
 * (1 − 0.05^(1/n)), so that a few equal pairs prove nothing. Student's quantile by the expansion of Cornish and Fisher (Abramowitz and Stegun 26.7.5).
 */
export function judgePairs(pairs: readonly QualityPair[], margin: number): PairVerdict {
  const n = pairs.length;
  const differences = pairs.map(({ baseline, candidate }) => candidate - baseline);
  const difference = n === 0 ? 0 : differences.reduce((sum, value) => sum + value, 0) / n;
  const variance = n < 2 ? 0 : differences.reduce((sum, value) => sum + (value - difference) ** 2, 0) / (n - 1);
  const quantile = n < 2 ? Number.POSITIVE_INFINITY : z95 + (z95 ** 3 + z95) / (4 * (n - 1));
  const width = n < 2 ? 1 : Math.max(quantile * Math.sqrt(variance / n), 1 - 0.05 ** (1 / n));
  const lower = Math.max(-1, difference - width);
  const nonInferior = n >= 2 && lower > -margin;
  const points = (value: number) => (value * 100).toFixed(1);
  return {
    nonInferior,
    pairs: n,
    difference,
    lower,
    discordant: n === 0 ? 0 : differences.filter((value) => value !== 0).length / n,
    sentence: `Over ${n} tickets quality changed by ${points(difference)} points, at worst ${points(lower)}; ${nonInferior ? "not worse" : "it is not proven to be no worse"} by the margin of ${points(margin)}.`,
  };
}
