import { type CostFactor, costFactors, type FactorChange, type Segment } from "../../../packages/sdk/src/wire/costs.ts";
import type { FactorSums } from "./cost-window.ts";
import type { ComparedWindows } from "./search-dimensions.ts";

/**
 * Splits the change of a segment's cost into its factors, exactly: additive LMDI-I (Ang, Energy Policy 33, 2005). By model
 * cost = tickets · attempts/ticket · turns/attempt · tokens/turn · (input cost/list price) · price · (cost/input cost),
 * Δ of factor x = L(A, F)·ln(xA/xF) with the logarithmic mean L(a, b) = (a−b)/(ln a − ln b). The largest part of the change first.
 * The multiplicative form exp(Δ/L(ΣA, ΣF)) of the same parts says how many times the factor rose.
 */
export function decomposeCost({ now, then, scale }: ComparedWindows, within: Segment = {}): readonly FactorChange[] {
  const a = now.factors(within);
  const f = then.factors(within);
  const parts = new Map<CostFactor, number>(costFactors.map((factor) => [factor, 0]));
  const add = (factor: CostFactor, amount: number): void => void parts.set(factor, (parts.get(factor) ?? 0) + amount);
  let [total, baseline] = [0, 0];
  for (const model of new Set([...a.keys(), ...f.keys()])) {
    const [after, before] = [a.get(model), scaled(f.get(model), scale)];
    total += after?.costMicroUsd ?? 0;
    baseline += before?.costMicroUsd ?? 0;
    const rise = (after?.costMicroUsd ?? 0) - (before?.costMicroUsd ?? 0);
    const factorsNow = after === undefined ? undefined : factorsOf(after);
    const factorsThen = before === undefined ? undefined : factorsOf(before);
    if (factorsNow === undefined || factorsThen === undefined || after === undefined || before === undefined) {
      add("new_models", rise);
      continue;
    }
    const mean = logarithmicMean(after.costMicroUsd, before.costMicroUsd);
    for (const [factor, value] of factorsNow) add(factor, mean * Math.log(value / (factorsThen.get(factor) ?? value)));
  }
  const change = total - baseline;
  const sign = change < 0 ? -1 : 1;
  const mean = total > 0 && baseline > 0 ? logarithmicMean(total, baseline) : Number.POSITIVE_INFINITY;
  return costFactors
    .map((factor) => {
      const changeMicroUsd = parts.get(factor) ?? 0;
      return { factor, changeMicroUsd, share: change === 0 ? 0 : changeMicroUsd / change, times: Math.exp(changeMicroUsd / mean) };
    })
    .filter(({ factor, changeMicroUsd }) => factor !== "new_models" || changeMicroUsd !== 0)
    .toSorted((x, y) => sign * (y.changeMicroUsd - x.changeMicroUsd));
}

/** Sums of another length of time; ratios stay. */
function scaled(sums: FactorSums | undefined, scale: number): FactorSums | undefined {
  if (sums === undefined) return undefined;
  return {
    tickets: sums.tickets * scale,
    attempts: sums.attempts * scale,
    requests: sums.requests * scale,
    inputTokens: sums.inputTokens * scale,
    inputCostMicroUsd: sums.inputCostMicroUsd * scale,
    listCostMicroUsd: sums.listCostMicroUsd * scale,
    costMicroUsd: sums.costMicroUsd * scale,
  };
}

/** Undefined when one of them is 0: then there is no logarithm, and the model is told as new or gone. */
function factorsOf(sums: FactorSums): ReadonlyMap<CostFactor, number> | undefined {
  const { tickets, attempts, requests, inputTokens, inputCostMicroUsd, listCostMicroUsd, costMicroUsd } = sums;
  const factors = new Map<CostFactor, number>([
    ["tickets", tickets],
    ["attempts_per_ticket", attempts / tickets],
    ["turns_per_attempt", requests / attempts],
    ["tokens_per_turn", inputTokens / requests],
    ["cache_mix", inputCostMicroUsd / listCostMicroUsd],
    ["price", listCostMicroUsd / inputTokens],
    ["output_ratio", costMicroUsd / inputCostMicroUsd],
  ]);
  return [...factors.values()].every((value) => Number.isFinite(value) && value > 0) ? factors : undefined;
}

function logarithmicMean(a: number, b: number): number {
  return Math.abs(a - b) <= 1e-12 * Math.max(a, b) ? a : (a - b) / Math.log(a / b);
}
