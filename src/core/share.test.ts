import { expect, it } from "@jest/globals";
import { formatShare } from "./share.ts";

it.each<[number, number | undefined, string]>([
  [0.4, undefined, "40 %"],
  [0.1251, undefined, "12.5 %"],
  [0.4, 1, "40.0 %"],
  [0.125, 0, "13 %"],
  [0.00123, 2, "0.12 %"],
  [1, 0, "100 %"],
])("formats %d with %s decimals", (share, decimals, text) => {
  expect(formatShare(share, decimals === undefined ? {} : { decimals })).toBe(text);
});
