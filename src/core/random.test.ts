import { describe, expect, it } from "@jest/globals";
import { createRandom, createSystemRandom } from "./random.ts";

it("draws the sequence of mulberry32: statistics and workloads were computed with it", () => {
  const random = createRandom(1);
  const draws = Array.from({ length: 4 }, () => Math.round(random() * 2 ** 32));
  expect(draws).toEqual([2_693_262_067, 11_749_833, 2_265_367_787, 4_213_581_821]);
});

describe("the machine's randomness", () => {
  const random = createSystemRandom();

  it("makes ids and secrets of the size that is promised, each another", () => {
    expect(random.bytes(6)).toHaveLength(6);
    expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(random.token()).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(new Set(Array.from({ length: 100 }, () => random.token())).size).toBe(100);
  });

  it("spreads its fractions over [0, 1)", () => {
    const draws = Array.from({ length: 2000 }, () => random.fraction());
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    expect(new Set(draws.map((draw) => Math.floor(draw * 10))).size).toBe(10);
  });
});
