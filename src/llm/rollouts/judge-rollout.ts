import type { ArmCounts, JudgedStratum, RolloutPlan, RolloutStratum, RolloutVerdict } from "../../../packages/sdk/src/wire/rollouts.ts";
import { compareCost } from "./compare-cost.ts";
import { judgeCatastrophe } from "./failure-chance.ts";
import { minPerArm, sequenceFactor } from "./sequential-decision.ts";
import { splitEvidence } from "./split-evidence.ts";

/** What a verdict needs of a plan. */
export type VerdictPlan = Pick<RolloutPlan, "plannedTickets" | "costLimit">;

/** One-sided error of "shown to be worse" and of the harm that is excluded, over all looks together. */
const alpha = 0.05;
/** A split is broken from this e-value on. */
const minBrokenEvalue = 1000;

/**
 * Compares both arms of a rollout, step by step, so that what changes for both arms between two steps favors neither. Pure: the same counts give the same
 * verdict, in any order of the steps. No counts give a verdict that shows nothing.
 *
 * Quality: `D = Σw(q_c − q_b)/Σw` with `w = c·b/(c+b)` (N. Mantel, W. Haenszel, 1959; S. Greenland, J. Robins, 1985),
 * `V = Σw²(v_c/c + v_b/b)/(Σw)²`, and an interval that holds at every look, `hw = √(V·n)·sequenceFactor(n, planned, 0.05)`
 * (I. Waudby-Smith et al., Annals of Statistics 52 (2024)). A variance has half a success and half a failure more than was counted.
 */
export function judgeRollout(strata: readonly RolloutStratum[], plan: VerdictPlan): RolloutVerdict {
  const counted = strata.map(({ step, share, canary, baseline }) => ({
    step,
    share,
    canary: readArm(canary),
    baseline: readArm(baseline),
  }));
  const judged = counted.map(judgeStratum);
  const canary = addArms(counted.map((stratum) => stratum.canary));
  const baseline = addArms(counted.map((stratum) => stratum.baseline));
  const sufficient = canary.ended >= minPerArm && baseline.ended >= minPerArm;
  const logEvalue = judged.reduce((sum, stratum) => sum + stratum.logEvalue, 0);
  const tickets = canary.ended + baseline.ended;
  const quality = compareQuality(counted, tickets, plan.plannedTickets);
  return {
    tickets,
    canary: summarize(canary),
    baseline: summarize(baseline),
    strata: judged,
    quality: quality && { ...quality, shownWorse: sufficient && quality.difference + quality.halfWidth < 0 },
    cost: compareCost(counted, plan),
    split: { logEvalue, pValue: Math.min(1, Math.exp(-logEvalue)), broken: logEvalue > Math.log(minBrokenEvalue) },
    catastrophe: findCatastrophe(counted, { canary, baseline }),
    sufficient,
  };
}

type CountedStratum = RolloutStratum;

/** Counts as a store may hold them: what is not a number, or negative, counts as none, and no mean quality is above 1. */
function readArm(arm: ArmCounts): ArmCounts {
  const ended = atLeastZero(arm.ended);
  const quality = Math.min(ended, atLeastZero(arm.quality));
  return {
    exposed: atLeastZero(arm.exposed),
    ended,
    quality,
    qualitySquares: Math.min(quality, atLeastZero(arm.qualitySquares)),
    costMicroUsd: atLeastZero(arm.costMicroUsd),
    costSquares: atLeastZero(arm.costSquares),
    costQuality: atLeastZero(arm.costQuality),
    unpriced: atLeastZero(arm.unpriced),
  };
}

function atLeastZero(count: number): number {
  return Number.isFinite(count) && count > 0 ? count : 0;
}

function addArms(arms: readonly ArmCounts[]): ArmCounts {
  const sum = (field: keyof ArmCounts) => arms.reduce((total, arm) => total + (arm[field] ?? 0), 0);
  return {
    exposed: sum("exposed"),
    ended: sum("ended"),
    quality: sum("quality"),
    qualitySquares: sum("qualitySquares"),
    costMicroUsd: sum("costMicroUsd"),
    costSquares: sum("costSquares"),
    costQuality: sum("costQuality"),
    unpriced: sum("unpriced"),
  };
}

function summarize({ exposed, ended, quality, costMicroUsd, unpriced }: ArmCounts): RolloutVerdict["canary"] {
  return {
    exposed,
    ended,
    quality: ended === 0 ? null : quality / ended,
    meanCostMicroUsd: ended === 0 || unpriced > 0 ? null : costMicroUsd / ended,
  };
}

function judgeStratum({ step, share, canary, baseline }: CountedStratum): JudgedStratum {
  const weight = weightOf(canary, baseline);
  return {
    step,
    share,
    canary: summarize(canary),
    baseline: summarize(baseline),
    weight,
    difference: weight === 0 ? null : canary.quality / canary.ended - baseline.quality / baseline.ended,
    logEvalue: splitEvidence({ share, canary: canary.exposed, baseline: baseline.exposed }),
  };
}

function weightOf(canary: ArmCounts, baseline: ArmCounts): number {
  return canary.ended === 0 || baseline.ended === 0 ? 0 : (canary.ended * baseline.ended) / (canary.ended + baseline.ended);
}

/**
 * With few failures the normal interval is too narrow, and one failure more could move its nearer end towards success. The variance of the weighted sum is
 * therefore at least (√n·factor/2)²: from there on one ticket moves the difference by more than it moves the half width, so that a worse arm never helps.
 */
function compareQuality(
  strata: readonly CountedStratum[],
  tickets: number,
  planned: number,
): { readonly difference: number; readonly halfWidth: number; readonly harm: number } | null {
  let weights = 0;
  let differences = 0;
  let variance = 0;
  for (const { canary, baseline } of strata) {
    const weight = weightOf(canary, baseline);
    if (weight === 0) continue;
    weights += weight;
    differences += weight * (canary.quality / canary.ended - baseline.quality / baseline.ended);
    variance += weight ** 2 * (qualityVariance(canary) / canary.ended + qualityVariance(baseline) / baseline.ended);
  }
  if (weights === 0) return null;
  const reach = Math.sqrt(tickets) * sequenceFactor(tickets, planned, alpha);
  const difference = differences / weights;
  const halfWidth = (reach * Math.max(Math.sqrt(variance), reach / 2)) / weights;
  return { difference, halfWidth, harm: Math.max(0, halfWidth - difference) };
}

/** Variance of one ticket's quality, with half a ticket of quality 1 and half a one of quality 0 more; for outcomes 0 and 1 that is r(1 − r). */
function qualityVariance({ ended, quality, qualitySquares }: ArmCounts): number {
  const mean = (quality + 0.5) / (ended + 1);
  return Math.max(0, (qualitySquares + 0.5) / (ended + 1) - mean ** 2);
}

function findCatastrophe(
  strata: readonly CountedStratum[],
  { canary, baseline }: { readonly canary: ArmCounts; readonly baseline: ArmCounts },
): RolloutVerdict["catastrophe"] {
  if (baseline.ended < minPerArm) return { chance: null, shown: false };
  const groups = strata.map((stratum) => ({
    tickets: stratum.canary.ended,
    failing: failingRatio(stratum.baseline.ended >= minPerArm ? stratum.baseline : baseline),
  }));
  // Scores between 0 and 1 are rounded in the canary's favor; their sum spreads less than that of outcomes 0 and 1.
  return judgeCatastrophe(groups, Math.floor(canary.ended - canary.quality + 1e-9), minPerArm);
}

function failingRatio({ ended, quality }: ArmCounts): number {
  return 1 - (quality + 0.5) / (ended + 1);
}
