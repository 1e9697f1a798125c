import { describe, expect, it } from "@jest/globals";
import { createRandom } from "../core/seeded-random.ts";
import { judgePairs } from "./judge-pairs.ts";

const same = (count: number) => Array.from({ length: count }, () => ({ baseline: 1, candidate: 1 }));

describe("judgePairs", () => {
  it("needs enough pairs even when none differs: about 3/n is what was not excluded", () => {
    expect(judgePairs(same(28), 0.1).nonInferior).toBe(false);
    expect(judgePairs(same(29), 0.1)).toMatchObject({ nonInferior: true, difference: 0, discordant: 0, lower: expect.closeTo(-0.098, 3) });
    expect(judgePairs([], 0.1)).toMatchObject({ nonInferior: false, pairs: 0 });
  });

  it("is wrong about as often as it says when the truth lies at the margin, and finds equality with a hundred pairs", () => {
    const trial = (drop: number, seed: number) => {
      const random = createRandom(seed);
      // 15 % of the pairs differ; without a drop they fall evenly on both sides.
      const pairs = Array.from({ length: 100 }, () => {
        const roll = random();
        if (roll < 0.075 + drop / 2) return { baseline: 1, candidate: 0 };
        return roll < 0.15 ? { baseline: 0, candidate: 1 } : { baseline: 1, candidate: 1 };
      });
      return judgePairs(pairs, 0.1).nonInferior;
    };
    const share = (drop: number) => Array.from({ length: 1000 }, (_, seed) => trial(drop, seed)).filter(Boolean).length / 1000;
    expect(share(0.1)).toBeLessThan(0.08);
    expect(share(0)).toBeGreaterThan(0.75);
  });
});
