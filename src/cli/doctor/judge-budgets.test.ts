import { expect, it } from "@jest/globals";
import { judgeBudgets } from "./judge-budgets.ts";

it.each([
  [0, "ok", ""],
  [1799, "ok", ""],
  [1800, "warning", "before further budgets are refused"],
  [2000, "warning", "A further budget is refused"],
  [2100, "warning", "A further budget is refused"],
] as const)("finds %d of 2000 budgets to be %s", (count, verdict, fix) => {
  const { fix: advice = "", ...finding } = judgeBudgets(count, 2000);
  expect(finding).toEqual({ name: "Budgets", verdict, detail: `${count} of at most 2000` });
  expect(advice).toContain(fix);
});
