import { expect, it } from "@jest/globals";
import { median, quantile } from "./statistics.ts";

it("takes the nearest rank as quantile", () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)]).toEqual([50, 99, 100]);
});

it("takes the mean of the two middle values of an even number", () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
});

it("says NaN of nothing, which no comparison calls good", () => {
  expect([quantile([], 0.5), median([])]).toEqual([Number.NaN, Number.NaN]);
});
