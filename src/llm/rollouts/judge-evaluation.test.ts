import { describe, expect, it } from "@jest/globals";
import { anEvaluation } from "../../../test/contracts/describe-evaluations.ts";
import type { EvaluatedSide } from "./evaluator.ts";
import { judgeEvaluation } from "./judge-evaluation.ts";

const policy = { margin: 0.1, maxCostRatio: 1.1 };

/** A hundred pairs; `sides` says what is different of the nth one. */
function evaluated(sides: (nth: number) => { readonly old?: Partial<EvaluatedSide>; readonly new?: Partial<EvaluatedSide> }, asked = 100) {
  const ticketIds = Array.from({ length: asked }, (_, nth) => `T-${nth}`);
  const pairs = ticketIds.slice(0, 100).map((ticketId, nth) => ({
    ticketId,
    baseline: { quality: 1, costMicroUsd: 100, ...sides(nth).old },
    candidate: { quality: 1, costMicroUsd: 50, ...sides(nth).new },
  }));
  return anEvaluation({ ticketIds, outcome: { kind: "pairs", pairs } });
}

const verdictOf = (...args: Parameters<typeof evaluated>) => judgeEvaluation(evaluated(...args), policy).verdict;

describe("what an evaluation shows", () => {
  it("is a pass for a candidate that is as good and cheaper, the same each time", () => {
    const verdict = judgeEvaluation(
      evaluated(() => ({})),
      policy,
    );
    expect(verdict).toMatchObject({ verdict: "pass", facts: { pairs: 100, qualityDifference: 0, costRatio: { point: 0.5 } } });
    expect(
      judgeEvaluation(
        evaluated(() => ({})),
        policy,
      ),
    ).toEqual(verdict);
  });

  it.each([
    ["worse", "fails on fifteen tickets more", (nth: number) => ({ new: { quality: nth < 15 ? 0 : 1 } })],
    ["worse", "is worse by more than the margin on every ticket", () => ({ new: { quality: 0.85 } })],
    ["worse", "is shown to fail on more, if on less than the margin", (nth: number) => ({ new: { quality: nth < 8 ? 0 : 1 } })],
    [
      "worse",
      "fails on fifty and saves forty, as far as can be seen",
      (nth: number) => ({ new: { quality: nth < 50 ? 0 : 1 }, old: { quality: nth >= 60 ? 0 : 1 } }),
    ],
    [
      "inconclusive",
      "fails on twelve and saves six, which may be chance",
      (nth: number) => ({ new: { quality: nth < 12 ? 0 : 1 }, old: { quality: nth > 93 ? 0 : 1 } }),
    ],
    ["pass", "is shown to be worse by what is allowed", (nth: number) => ({ new: { quality: nth < 4 ? 0 : 1 } })],
    ["dear", "costs half as much again", () => ({ new: { costMicroUsd: 150 } })],
    ["inconclusive", "costs the same on most and much on some", (nth: number) => ({ new: { costMicroUsd: nth < 3 ? 300 : 102 } })],
    ["inconclusive", "cost nothing, so that nobody counted", () => ({ new: { costMicroUsd: 0 } })],
  ])("is %s for a candidate that %s", (verdict, _what, sides) => {
    expect(verdictOf(sides)).toBe(verdict);
  });

  it("counts what a cold cache has cost apart, on both sides", () => {
    const cold = evaluated(() => ({ old: { coldCostMicroUsd: 20 }, new: { costMicroUsd: 150, coldCostMicroUsd: 110 } }));
    expect(judgeEvaluation(cold, policy)).toMatchObject({
      verdict: "pass",
      facts: { costRatio: { point: 0.5 } },
      coldCostMicroUsd: 13_000,
    });
  });

  it("is nothing when more than one ticket in twenty has no pair", () => {
    expect(verdictOf(() => ({}), 105)).toBe("pass");
    expect(verdictOf(() => ({}), 106)).toBe("inconclusive");
  });

  it("is nothing when the old model did nothing right, as an evaluator does that cannot work", () => {
    expect(verdictOf(() => ({ old: { quality: 0 }, new: { quality: 0 } }))).toBe("inconclusive");
    expect(verdictOf((nth) => ({ old: { quality: nth === 0 ? 1 : 0 }, new: { quality: nth === 0 ? 1 : 0 } }))).toBe("pass");
  });

  it("is nothing when it was stopped at its limit of cost, however good it looked", () => {
    const capped = anEvaluation({ outcome: { kind: "capped", pairs: 60, costMicroUsd: 7 } });
    expect(judgeEvaluation(capped, policy)).toMatchObject({ verdict: "inconclusive", sentence: expect.stringContaining("60 tickets") });
  });

  it("is what a person says who compared them", () => {
    for (const answer of ["pass", "worse", "dear"] as const)
      expect(judgeEvaluation(anEvaluation({ outcome: { kind: "person", answer } }), policy).verdict).toBe(answer);
  });

  it("is nothing without a pair", () => {
    const none = anEvaluation({ ticketIds: [], outcome: { kind: "pairs", pairs: [] } });
    expect(judgeEvaluation(none, policy).verdict).toBe("inconclusive");
  });

  it("tells how many tickets each refused", () => {
    const refusing = evaluated((nth) => ({ old: { refused: nth === 0 }, new: { refused: nth < 3 } }));
    expect(judgeEvaluation(refusing, policy).refusals).toEqual({ baseline: 1, candidate: 3 });
  });
});
