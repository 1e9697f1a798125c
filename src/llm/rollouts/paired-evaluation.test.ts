import { describe, expect, it } from "@jest/globals";
import { createRandom, type Random } from "../../core/random.ts";
import { evaluatePairs, neededPairs, type PairedTicket } from "./paired-evaluation.ts";
import { normalQuantile, studentQuantile } from "./quantiles.ts";

/** Pairs whose outcomes differ in `discordance` of the cases, with a true difference; costs are lognormal with a coefficient of variation of 1.2. */
function drawPairs(random: Random, count: number, { discordance = 0.16, difference = 0, costRatio = 0.8 } = {}): readonly PairedTicket[] {
  const wins = (discordance + difference) / 2;
  const losses = (discordance - difference) / 2;
  const sigma = Math.sqrt(Math.log(1 + 1.2 ** 2));
  const cost = () => Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
  return Array.from({ length: count }, () => {
    const drawn = random();
    const [oldQuality, newQuality] = drawn < wins ? [0, 1] : drawn < wins + losses ? [1, 0] : [1, 1];
    return { oldQuality, newQuality, oldCostMicroUsd: 1e6 * cost(), newCostMicroUsd: 1e6 * costRatio * cost() };
  });
}

describe("pairs that are needed", () => {
  it.each([
    [0.1, 0.1, 62],
    [0.15, 0.1, 93],
    [0.2, 0.1, 124],
    [0.15, 0.05, 371],
  ])("discordance %f, margin %f: %i", (discordance, margin, pairs) => expect(neededPairs(discordance, margin)).toBe(pairs));
});

describe("evaluatePairs", () => {
  const shareNotWorse = (count: number, difference: number, runs = 1000) => {
    const random = createRandom(count + 1000 * difference + 5);
    let shown = 0;
    for (let run = 0; run < runs; run += 1) {
      const drawn = drawPairs(random, count, { difference }).map((pair) => ({ ...pair, oldCostMicroUsd: 0, newCostMicroUsd: 0 }));
      if (evaluatePairs(drawn, { seed: "s" }).qualityLower > -0.1) shown += 1;
    }
    return shown / runs;
  };

  it("shows an equal version to be no worse in about four of five cases with 100 pairs, and nine of ten with 150", () => {
    expect(Math.abs(shareNotWorse(100, 0) - 0.78)).toBeLessThan(0.04);
    expect(Math.abs(shareNotWorse(150, 0) - 0.9)).toBeLessThan(0.03);
  });

  it("lets a version that is worse by the margin pass in about one of twenty cases", () => {
    expect(shareNotWorse(100, -0.1)).toBeLessThan(0.07);
    expect(shareNotWorse(150, -0.1)).toBeLessThan(0.07);
  });

  it("covers the true cost ratio in about 95 of 100 cases with 50 pairs", () => {
    const random = createRandom(50);
    let covered = 0;
    for (let run = 0; run < 40; run += 1) {
      const { costRatio } = evaluatePairs(drawPairs(random, 50), { seed: `run ${run}` });
      if (costRatio !== undefined && costRatio.lower <= 0.8 && costRatio.upper >= 0.8) covered += 1;
    }
    expect(covered / 40).toBeGreaterThan(0.91);
  });

  it("gives the same verdict for the same pairs and seed", () => {
    const pairs = drawPairs(createRandom(3), 120, { costRatio: 0.3 });
    const verdict = evaluatePairs(pairs, { seed: "run_1" });
    expect(evaluatePairs(pairs, { seed: "run_1" })).toEqual(verdict);
    expect(evaluatePairs(pairs, { seed: "run_2" }).costRatio).not.toEqual(verdict.costRatio);
    expect(verdict).toMatchObject({ verdict: "pass", pairs: 120 });
    expect(verdict.sentence).toMatch(/^On 120 tickets the new version is not worse by 10 percentage points and costs \d/);
  });

  it("needs enough pairs even when none differs: about 3/n is what was not excluded", () => {
    const same = (count: number) => drawPairs(createRandom(1), count, { discordance: 0 });
    expect(evaluatePairs(same(28), { seed: "s" })).toMatchObject({ verdict: "worse", qualityDifference: 0, needed: 29 });
    expect(evaluatePairs(same(29), { seed: "s" })).toMatchObject({
      notWorse: true,
      qualityLower: expect.closeTo(-0.098, 3),
      discordance: 0,
    });
  });

  it("names what is not shown", () => {
    const random = createRandom(8);
    expect(evaluatePairs([], { seed: "s" })).toMatchObject({ verdict: "worse", notWorse: false, qualityLower: -1, needed: 29 });
    expect(evaluatePairs(drawPairs(random, 150, { difference: -0.15 }), { seed: "s" }).verdict).toBe("worse");
    expect(evaluatePairs(drawPairs(random, 150, { costRatio: 1 }), { seed: "s" }).verdict).toBe("dear");
    const free = drawPairs(random, 150).map((pair) => ({ ...pair, newCostMicroUsd: 0 }));
    expect(evaluatePairs(free, { seed: "s" })).toMatchObject({ verdict: "dear", sentence: "There is no cost to compare." });
  });
});

describe("quantiles", () => {
  it.each([
    [0.5, 0],
    [0.95, 1.6448536],
    [0.8, 0.8416212],
    [0.975, 1.959964],
    [0.001, -3.0902323],
  ])("of the normal distribution at %f", (p, expected) => expect(normalQuantile(p)).toBeCloseTo(expected, 6));

  it.each([
    [0.95, 10, 1.8125],
    [0.95, 99, 1.6604],
    [0.975, 30, 2.0423],
  ])("of Student's t at %f with %i degrees", (p, freedom, expected) => expect(studentQuantile(p, freedom)).toBeCloseTo(expected, 3));

  it("are infinite at the ends", () => {
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });
});
