import type { EvaluatedPair, EvaluatedSide } from "./evaluator.ts";

/** Every amount that an evaluator may send. */
const amounts = ["costMicroUsd", "coldCostMicroUsd", "latencyMs"] as const;

/**
 * What is wrong with the pairs of an evaluation, in one sentence; undefined: nothing. One wrong pair makes all of them worthless, as an evaluator that counts
 * one of them wrongly may count the others wrongly too. `ticketIds` are those that it was given; absent: it picked its own.
 */
export function faultOfPairs(pairs: readonly EvaluatedPair[], ticketIds?: readonly string[]): string | undefined {
  const given = ticketIds === undefined ? undefined : new Set(ticketIds);
  const counted = new Set<string>();
  for (const { ticketId, baseline, candidate } of pairs) {
    if (counted.has(ticketId)) return `ticket ${ticketId} is there twice`;
    counted.add(ticketId);
    if (given?.has(ticketId) === false) return `ticket ${ticketId} was not asked for`;
    const fault = faultOfSide(baseline) ?? faultOfSide(candidate);
    if (fault !== undefined) return `ticket ${ticketId} has ${fault}`;
  }
  return undefined;
}

function faultOfSide(side: EvaluatedSide): string | undefined {
  const { quality, costMicroUsd, coldCostMicroUsd = 0, failed = false } = side;
  if (!(quality >= 0 && quality <= 1)) return `quality ${quality}; it is 0 to 1`;
  for (const name of amounts) {
    const amount = side[name] ?? 0;
    if (!(Number.isFinite(amount) && amount >= 0)) return `${name} ${amount}; it is 0 or more`;
  }
  if (coldCostMicroUsd > costMicroUsd) return `a cost of the cold cache, ${coldCostMicroUsd}, that is more than its cost, ${costMicroUsd}`;
  if (failed && quality > 0) return `quality ${quality} although it failed`;
  return undefined;
}
