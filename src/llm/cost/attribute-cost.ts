import { costDimensions } from "../../../packages/sdk/src/wire/cost-dimension.ts";
import type { CostAttribution, CostFactor, FactorChange, Segment } from "../../../packages/sdk/src/wire/costs.ts";
import { formatShare } from "../../core/share.ts";
import { noElement } from "./cost-window.ts";
import { decomposeCost } from "./decompose-cost.ts";
import { type ComparedWindows, drillDown } from "./search-dimensions.ts";

const minRise = 0.1;
const minDeviations = 3;
const minExplained = 0.67;
const doubtfulUnpricedShare = 0.01;
const topShown = 5;

/** `deviations`: see `riseInDeviations`, when what is usual is known; below three there is nothing to attribute. */
export function attributeCost(windows: ComparedWindows, deviations?: number): CostAttribution {
  const { now, then, scale } = windows;
  const baseline = then.costMicroUsd * scale;
  const change = now.costMicroUsd - baseline;
  const unpricedShare = now.unpricedTokens === 0 ? 0 : now.unpricedTokens / Math.max(now.tokens, now.unpricedTokens);
  const facts = {
    costMicroUsd: now.costMicroUsd,
    baselineMicroUsd: baseline,
    changeMicroUsd: change,
    top: topElements(windows),
    concentration: gini([...now.costBy("prompt", {}).values()]),
    unpricedShare,
  };
  const caution =
    unpricedShare > doubtfulUnpricedShare ? `${formatShare(unpricedShare)} of the tokens have no price, so this may be wrong. ` : "";
  const whole = { segment: {}, segmentCostMicroUsd: now.costMicroUsd, segmentBaselineMicroUsd: baseline, findings: [] };
  if (now.costMicroUsd <= 0)
    return { ...facts, ...whole, verdict: "no_spend", sentence: `${caution}Nothing was spent in the window.`, factors: [] };
  if (then.events === 0)
    return { ...facts, ...whole, verdict: "diffuse", sentence: `${caution}There is no earlier spend to compare with.`, factors: [] };
  if (change < minRise * baseline || (deviations !== undefined && deviations < minDeviations))
    return {
      ...facts,
      ...whole,
      verdict: "no_spike",
      sentence: `${caution}There is no attributable spike: cost changed by ${formatShare(baseline > 0 ? change / baseline : 0)}.`,
      factors: decomposeCost(windows),
    };
  const explanation = drillDown(windows);
  if (explanation === undefined || explanation.explains < minExplained) {
    const factors = decomposeCost(windows);
    const strongest = words(factors[0]?.factor);
    const sentence = `${caution}The rise is diffuse: no element explains two thirds of it. The strongest factor is ${strongest}.`;
    return { ...facts, ...whole, verdict: "diffuse", sentence, factors };
  }
  const { explains, findings } = explanation;
  const segment = withOperation(now, explanation.segment);
  const segmentCostMicroUsd = now.total(segment).costMicroUsd;
  const isNew = then.total(segment).events === 0;
  const parts = isNew ? newWork(segment, segmentCostMicroUsd) : decomposeCost(windows, segment);
  const because = isNew
    ? "There was nothing of it in the baseline."
    : `It rose mostly through ${words(parts[0]?.factor)} (${formatShare(parts[0]?.share ?? 0)}).`;
  return {
    ...facts,
    verdict: "attributed",
    sentence: `${caution}${nameOfSegment(segment)} explains ${formatShare(explains)} of the rise. ${because}`,
    segment,
    explains,
    segmentCostMicroUsd,
    segmentBaselineMicroUsd: then.total(segment).costMicroUsd * scale,
    findings,
    factors: parts,
  };
}

/** What was not there before has no factors to compare: it is more work, or work for another model. */
function newWork({ model }: Segment, costMicroUsd: number): readonly FactorChange[] {
  return [{ factor: model === undefined ? "tickets" : "new_models", changeMicroUsd: costMicroUsd, share: 1, times: 1 }];
}

/** Prompt and operation together are where people look, so the one that the other leaves no choice of is named too. */
function withOperation(now: ComparedWindows["now"], segment: Segment): Segment {
  const implied = (["prompt", "operation"] as const).flatMap((dimension) => {
    if (segment[dimension] !== undefined) return [];
    const spent = (within: Segment): readonly string[] =>
      [...now.costBy(dimension, within)].filter(([, cost]) => cost > 0).map(([name]) => name);
    const [only, ...others] = spent(segment);
    return only === undefined || only === noElement || others.length > 0 || spent({}).length < 2 ? [] : [[dimension, only] as const];
  });
  const all = { ...segment, ...Object.fromEntries(implied) };
  return Object.fromEntries(costDimensions.flatMap((dimension) => (all[dimension] === undefined ? [] : [[dimension, all[dimension]]])));
}

/** `prompt implement, operation plan`. */
function nameOfSegment(segment: Segment): string {
  const parts = costDimensions.flatMap((dimension) => {
    const element = segment[dimension];
    return element === undefined ? [] : [`${dimension === "promptVersion" ? "prompt version" : dimension} ${element}`];
  });
  return parts.length === 0 ? "everything" : parts.join(", ");
}

function topElements({ now, then, scale }: ComparedWindows): CostAttribution["top"] {
  return Object.fromEntries(
    costDimensions.flatMap((dimension) => {
      const costs = now.costBy(dimension, {});
      if (costs.size < 2) return [];
      const before = then.costBy(dimension, {});
      const elements = [...costs]
        .map(([element, costMicroUsd]) => ({
          element,
          costMicroUsd,
          changeMicroUsd: costMicroUsd - (before.get(element) ?? 0) * scale,
          share: now.costMicroUsd > 0 ? costMicroUsd / now.costMicroUsd : 0,
        }))
        .toSorted((a, b) => b.costMicroUsd - a.costMicroUsd || (a.element < b.element ? -1 : 1))
        .slice(0, topShown);
      return [[dimension, elements]];
    }),
  );
}

/** G = Σᵢ(2i − n − 1)xᵢ / (n·Σx) over the sorted values. */
function gini(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const sum = sorted.reduce((total, value) => total + value, 0);
  if (sum <= 0 || sorted.length < 2) return 0;
  const weighted = sorted.reduce((total, value, index) => total + (2 * (index + 1) - sorted.length - 1) * value, 0);
  return weighted / (sorted.length * sum);
}

/** A factor in words. */
function words(factor: CostFactor | undefined): string {
  return factor === undefined ? "nothing" : factor.replaceAll("_", " ");
}
