import { logBeta } from "./log-gamma.ts";

/** Strength of the prior about the configured share, in tickets. */
const concentration = 200;
/** At a share of (nearly) 1 a baseline ticket would be infinite evidence; one of a hundred is allowed there. */
const maxExactShare = 0.99;

/** How many of the exposed tickets of one step are the canary's. */
export interface SplitCounts {
  /** The canary's share during the step, 0 to 1. */
  readonly share: number;
  readonly canary: number;
  readonly baseline: number;
}

/**
 * Natural logarithm of the e-value against "each ticket is the canary's with probability `share`", which holds at every look at once: if the split is right,
 * the chance that it ever exceeds ln 1000 is 1 in 1000. A Dirichlet mixture about the share: M. Lindon, A. Malek, "Anytime-valid inference for multinomial
 * count data", NeurIPS 35 (2022), theorem 1. Steps with other shares multiply, so their logarithms add up. Near a share of 1 the null is "at least 0.99",
 * against its most likely member (L. Wasserman, A. Ramdas, S. Balakrishnan, "Universal inference", PNAS 117 (2020)). A share of 0 shows nothing.
 */
export function splitEvidence({ share, canary, baseline }: SplitCounts): number {
  const tickets = canary + baseline;
  if (!(share > 0) || tickets === 0) return 0;
  const center = Math.min(share, maxExactShare);
  const mixture =
    logBeta(concentration * center + canary, concentration * (1 - center) + baseline) -
    logBeta(concentration * center, concentration * (1 - center));
  const likely = share < maxExactShare ? share : Math.max(maxExactShare, canary / tickets);
  return mixture - times(canary, Math.log(likely)) - times(baseline, Math.log(1 - likely));
}

/** A count times a logarithm, where 0·ln 0 is 0. */
function times(count: number, logarithm: number): number {
  return count === 0 ? 0 : count * logarithm;
}
