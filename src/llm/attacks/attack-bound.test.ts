import { expect, it } from "@jest/globals";
import { attackRateBound } from "./attack-bound.ts";

it.each([
  [59, 0.0495],
  [60, 0.0487],
  [149, 0.0199],
  [299, 0.01],
  [5000, 0.0006],
])("bounds the rate of success after no hit in %s tries", (tries, bound) => {
  expect(attackRateBound(0, tries)).toBeCloseTo(bound, 4);
});

// Found by halving over sums of the binomial distribution in Python, where p makes the chance of at most that number of hits 0.05.
it.each([
  [1, 10, 0.3942],
  [1, 60, 0.0766],
  [5, 60, 0.1673],
  [30, 60, 0.6126],
  [4000, 5000, 0.8093],
])("is the exact one-sided bound after %s hits in %s tries", (hits, tries, bound) => {
  expect(attackRateBound(hits, tries)).toBeCloseTo(bound, 3);
});

it("shows nothing without a try, and nothing when every try worked", () => {
  expect([attackRateBound(0, 0), attackRateBound(3, 3), attackRateBound(1, 0)]).toEqual([1, 1, 1]);
});
