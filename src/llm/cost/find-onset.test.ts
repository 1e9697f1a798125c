import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { createRandom } from "../../core/random.ts";
import { baselineStatistics, findOnset, riseInDeviations } from "./find-onset.ts";

const usual = { mean: 10, deviation: 2, count: 60 };
const calm = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 9 : 11));

describe("the onset", () => {
  it.each([
    ["a jump", [...calm, 30, 30, 30], 40],
    // 13 − 10 − 0.5·2 adds 2 a span, and more than 5·2 is there after the sixth.
    ["a small rise, told late and dated back", [...calm, 13, 13, 13, 13, 13, 13], 40],
    ["a rise from the first span on", [30, 30], 0],
    ["a rise after traffic that is a little above what is taken for usual", [...calm.map((span) => span + 1.5), 30, 30, 30], 40],
    ["a rise that grows", [...calm, 15, 20, 30, 60, 90, 120, 120, 120], 40],
    ["the longer of two", [30, ...calm, 30, 30], 41],
  ])("of %s is the first span of it", (_name, spans, onset) => {
    expect(findOnset(spans, usual)).toBe(onset);
  });

  it.each([
    ["nothing", []],
    ["calm", calm],
    ["a small rise that does not last", [...calm, 13, 13, 13, ...calm]],
    ["a fall", [...calm, 1, 1, 1]],
  ])("is not seen in %s", (_name, spans) => {
    expect(findOnset(spans, usual)).toBeUndefined();
  });

  it("is where the rise was put, give or take a span", () => {
    const random = createRandom(3);
    const noise = () => 10 + 4 * (random() + random() + random() - 1.5);
    const found = Array.from({ length: 200 }, () => {
      const earlier = baselineStatistics(Array.from({ length: 60 }, noise));
      const spans = Array.from({ length: 60 }, (_, index) => noise() + (index >= 30 ? 10 : 0));
      return earlier === undefined ? undefined : findOnset(spans, earlier);
    });
    expect(found.filter((onset) => onset !== undefined && Math.abs(onset - 30) <= 1).length).toBeGreaterThan(195);
  });
});

it("what is usual needs two spans and some cost, and is never calmer than a tenth", () => {
  expect(baselineStatistics([5])).toBeUndefined();
  expect(baselineStatistics([0, 0, 0])).toBeUndefined();
  expect(baselineStatistics([10, 10, 10])).toEqual({ mean: 10, deviation: 1, count: 3 });
  expect(baselineStatistics([5, 15])?.deviation).toBeCloseTo(Math.sqrt(50), 9);
});

it("the same cost under another unit is the same onset and the same rise", () => {
  const cost = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 2, maxLength: 60 });
  fc.assert(
    fc.property(cost, cost, fc.constantFrom(2, 1024), (before, spans, unit) => {
      const earlier = baselineStatistics(before);
      const other = baselineStatistics(before.map((span) => span * unit));
      expect(other === undefined).toBe(earlier === undefined);
      if (earlier === undefined || other === undefined) return;
      const scaled = spans.map((span) => span * unit);
      expect(findOnset(scaled, other)).toBe(findOnset(spans, earlier));
      expect(riseInDeviations(scaled, other)).toBeCloseTo(riseInDeviations(spans, earlier), 6);
    }),
  );
});
