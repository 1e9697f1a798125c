import { describe, expect, it } from "@jest/globals";
import { faultOfPairs } from "./check-pairs.ts";
import type { EvaluatedPair, EvaluatedSide } from "./evaluator.ts";

const good: EvaluatedSide = { quality: 1, costMicroUsd: 10 };
const aPair = (ticketId: string, candidate: Partial<EvaluatedSide> = {}): EvaluatedPair => ({
  ticketId,
  baseline: good,
  candidate: { ...good, ...candidate },
});

describe("the pairs of an evaluation", () => {
  it("are used when each ticket is there once with amounts that can be", () => {
    const rich = { quality: 0, costMicroUsd: 0, coldCostMicroUsd: 0, latencyMs: 0, refused: true, failed: true };
    expect(
      faultOfPairs([aPair("a"), aPair("b", rich), aPair("c", { quality: 0.5, coldCostMicroUsd: 10 })], ["a", "b", "c", "d"]),
    ).toBeUndefined();
    expect(faultOfPairs([aPair("z")])).toBeUndefined();
    expect(faultOfPairs([])).toBeUndefined();
  });

  it.each([
    ["a quality that is no number", { quality: Number.NaN }, "quality NaN"],
    ["a quality above 1", { quality: 7 }, "quality 7; it is 0 to 1"],
    ["a quality below 0", { quality: -0.1 }, "quality -0.1"],
    ["a negative cost", { costMicroUsd: -1 }, "costMicroUsd -1"],
    ["a cost without end", { costMicroUsd: Number.POSITIVE_INFINITY }, "costMicroUsd Infinity"],
    ["a cost that is no number", { costMicroUsd: Number.NaN }, "costMicroUsd NaN"],
    ["a negative cost of the cold cache", { coldCostMicroUsd: -1 }, "coldCostMicroUsd -1"],
    ["a cold cache that cost more than all", { coldCostMicroUsd: 11 }, "more than its cost, 10"],
    ["a negative latency", { latencyMs: -5 }, "latencyMs -5"],
    ["work that failed and is good", { failed: true }, "although it failed"],
  ])("are not used with %s, on either side", (_what, side, named) => {
    expect(faultOfPairs([aPair("a"), aPair("b", side)])).toContain(named);
    expect(faultOfPairs([{ ...aPair("b"), baseline: { ...good, ...side } }])).toContain(named);
  });

  it("are not used with a ticket twice, or one that was not asked for", () => {
    expect(faultOfPairs([aPair("a"), aPair("b"), aPair("a")], ["a", "b"])).toBe("ticket a is there twice");
    expect(faultOfPairs([aPair("a"), aPair("c")], ["a", "b"])).toBe("ticket c was not asked for");
  });
});
