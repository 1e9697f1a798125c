import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { waterfallOf } from "./waterfall.ts";

const factors = [
  { factor: "attempts_per_ticket", change_usd: 10, share: 1.25, times: 6 },
  { factor: "tickets", change_usd: -2, share: -0.25, times: 0.8 },
  { factor: "price", change_usd: 0, share: 0, times: 1 },
];

it("carries the sum from what it was to what it is", () => {
  expect(waterfallOf({ factors, segment_cost_usd: 10, segment_baseline_usd: 2 })).toEqual([
    { name: "before", amount: "$2.00", share: "", times: "", kind: "total", from: 0, to: 2 / 12 },
    { name: "attempts per ticket", amount: "+$10.00", share: "125 %", times: "× 6", kind: "rise", from: 2 / 12, to: 1 },
    { name: "tickets", amount: "-$2.00", share: "-25 %", times: "× 0.8", kind: "fall", from: 10 / 12, to: 1 },
    { name: "price", amount: "$0.00", share: "0 %", times: "", kind: "rise", from: 10 / 12, to: 10 / 12 },
    { name: "now", amount: "$10.00", share: "", times: "", kind: "total", from: 0, to: 10 / 12 },
  ]);
});

it.each([
  ["no factors", { segment_cost_usd: 1, segment_baseline_usd: 1 }],
  ["none of them", { factors: [], segment_cost_usd: 1, segment_baseline_usd: 1 }],
  ["factors of another shape", { factors: [{ factor: "price" }], segment_cost_usd: 1, segment_baseline_usd: 1 }],
  ["no costs", { factors }],
])("is not drawn of a result with %s", (_name, output) => {
  expect(waterfallOf(output)).toBeUndefined();
});

it("stays within its picture, whatever the numbers", () => {
  const usd = fc.double({ min: -1e9, max: 1e9, noNaN: true });
  const factor = fc.record({ factor: fc.string(), change_usd: usd, share: usd, times: usd });
  fc.assert(
    fc.property(fc.array(factor, { minLength: 1, maxLength: 8 }), usd, usd, (some, now, before) => {
      const rows = waterfallOf({ factors: some, segment_cost_usd: now, segment_baseline_usd: before }) ?? [];
      expect(rows).toHaveLength(some.length + 2);
      for (const { from, to } of rows) expect([from >= 0, from <= to, to <= 1 + 1e-9]).toEqual([true, true, true]);
    }),
  );
});
