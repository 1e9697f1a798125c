import { expect, it } from "@jest/globals";
import { compareBill, differenceFromBill } from "./compare-bill.ts";

it("compares a bill with usage request by request, and sets apart what was not reported", () => {
  const calls = [
    { requestId: "both", costMicroUsd: 1000 },
    { requestId: "cheaper-with-us", costMicroUsd: 500 },
    { requestId: "refused", costMicroUsd: 0 },
    { requestId: "refused-and-reported", costMicroUsd: 0 },
    { requestId: "killed", costMicroUsd: 300 },
  ];
  const events = [
    { id: "both", costMicroUsd: 1000 },
    { id: "cheaper-with-us", costMicroUsd: 400 },
    { id: "refused-and-reported", costMicroUsd: 0 },
    { id: "of-another-provider", costMicroUsd: 7 },
  ];
  expect(compareBill(calls, events)).toEqual({
    billedMicroUsd: 1500,
    countedMicroUsd: 1400,
    unreportedRequests: 1,
    unreportedMicroUsd: 300,
  });
});

it.each([
  [995, 1000, 0.005],
  [1005, 1000, 0.005],
  [undefined, 1000, undefined],
  [1, 0, undefined],
  [1, undefined, undefined],
])("says how far %s is from a bill of %s", (ours, billed, share) => {
  expect(differenceFromBill(ours, billed)).toBe(share);
});
