import type { Evaluation } from "./evaluation.ts";
import type { EvaluatedPair } from "./evaluator.ts";
import { evaluatePairs, type PairedVerdict } from "./paired-evaluation.ts";

/** What must be shown of a candidate. */
export interface EvaluationPolicy {
  /** Its quality may be worse by less than this, 0 to 1. */
  readonly margin: number;
  /** The upper end of the interval of its cost ratio must lie below it. */
  readonly maxCostRatio: number;
}

/**
 * `pass`: shown not to be worse by the margin, and cheap enough. `worse`: shown to be worse, or by the margin on these tickets. `dear`: dearer than the limit on
 * these tickets. `inconclusive`: neither is shown; it is never success.
 */
export interface EvaluationVerdict {
  readonly verdict: "pass" | "worse" | "dear" | "inconclusive";
  /** For people. */
  readonly sentence: string;
  /** Absent when a person has compared them, or nothing was compared. */
  readonly facts?: Pick<
    PairedVerdict,
    "pairs" | "qualityDifference" | "qualityLower" | "qualityUpper" | "discordance" | "costRatio" | "needed"
  >;
  /** What the cold caches of both have cost, apart from the ratio. */
  readonly coldCostMicroUsd: number;
  readonly refusals: { readonly baseline: number; readonly candidate: number };
}

/** Share of the tickets that may be missing among the pairs: those that are missing may be the ones that went wrong. */
const maxMissing = 0.05;

/** What an evaluation shows. Pure and reproducible: equal pairs give an equal verdict, as the evaluation's id is the seed. */
export function judgeEvaluation({ id, outcome, ticketIds }: Evaluation, { margin, maxCostRatio }: EvaluationPolicy): EvaluationVerdict {
  const nothing = { coldCostMicroUsd: 0, refusals: { baseline: 0, candidate: 0 } };
  switch (outcome.kind) {
    case "person":
      return { verdict: outcome.answer, sentence: `A person has compared them: ${outcome.answer}.`, ...nothing };
    case "capped":
      return {
        verdict: "inconclusive",
        sentence: `The evaluation was stopped after ${outcome.pairs} tickets, as it cost too much; a part of the tickets shows nothing.`,
        ...nothing,
      };
    case "pairs":
      return judgePairs(outcome.pairs, { margin, maxCostRatio, seed: id, asked: ticketIds.length });
  }
}

function judgePairs(
  pairs: readonly EvaluatedPair[],
  { asked, ...policy }: EvaluationPolicy & { readonly seed: string; readonly asked: number },
): EvaluationVerdict {
  const { margin, maxCostRatio } = policy;
  const paired = evaluatePairs(
    pairs.map(({ baseline, candidate }) => ({
      oldQuality: baseline.quality,
      newQuality: candidate.quality,
      oldCostMicroUsd: baseline.costMicroUsd - (baseline.coldCostMicroUsd ?? 0),
      newCostMicroUsd: candidate.costMicroUsd - (candidate.coldCostMicroUsd ?? 0),
    })),
    policy,
  );
  const { pairs: count, qualityDifference, qualityLower, qualityUpper, discordance, costRatio, needed, sentence } = paired;
  const facts = {
    pairs: count,
    qualityDifference,
    qualityLower,
    qualityUpper,
    discordance,
    needed,
    ...(costRatio !== undefined && { costRatio }),
  };
  const cold = pairs.map(({ baseline, candidate }) => (baseline.coldCostMicroUsd ?? 0) + (candidate.coldCostMicroUsd ?? 0));
  const refused = (side: "baseline" | "candidate") => pairs.filter((pair) => pair[side].refused === true).length;
  const details = {
    facts,
    coldCostMicroUsd: cold.reduce((sum, cost) => sum + cost, 0),
    refusals: { baseline: refused("baseline"), candidate: refused("candidate") },
  };
  const missing = asked - count;
  if (missing > maxMissing * asked)
    return {
      verdict: "inconclusive",
      sentence: `${missing} of ${asked} tickets have no pair, so that it is unknown how they went.`,
      ...details,
    };
  if (pairs.every(({ baseline }) => baseline.quality === 0))
    return {
      verdict: "inconclusive",
      sentence: "The old variant succeeded on no ticket, so that the evaluation shows nothing.",
      ...details,
    };
  if (paired.verdict === "worse")
    return { verdict: qualityUpper < 0 || qualityDifference <= -margin ? "worse" : "inconclusive", sentence, ...details };
  if (costRatio !== undefined && costRatio.point > maxCostRatio) return { verdict: "dear", sentence, ...details };
  return { verdict: paired.verdict === "pass" ? "pass" : "inconclusive", sentence, ...details };
}
