import { expect, it } from "@jest/globals";
import { createLabelCap } from "./label-cap.ts";

const capOf = (max: number, known: string[] = []) => {
  let overflows = 0;
  const cap = createLabelCap(max, () => (overflows += 1), known);
  return { cap, overflows: () => overflows };
};

it("admits the first values and counts the rest as other", () => {
  const { cap, overflows } = capOf(2);
  expect(["a", "b", "c", "a", "d"].map((value) => cap(value))).toEqual(["a", "b", "other", "a", "other"]);
  expect(overflows()).toBe(2);
});

it("holds a place for values that are known beforehand", () => {
  const { cap } = capOf(1, ["kept"]);
  expect([cap("first"), cap("kept")]).toEqual(["other", "kept"]);
});

it.each(["", "a b", 'x"} 1', "a\nb", "x".repeat(81), "ключ"])("never admits %j as a label", (value) => {
  const { cap, overflows } = capOf(5);
  expect(cap(value)).toBe("other");
  expect(overflows()).toBe(1);
});
