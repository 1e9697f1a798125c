import { expect, it } from "@jest/globals";
import { attributeCost } from "../src/llm/cost/attribute-cost.ts";
import { createCostWindow } from "../src/llm/cost/cost-window.ts";
import { createAttributionWorkload } from "./attribution-workload.ts";
import { type AttributionComparison, type AttributionOutcome, differencesOf, renderAttribution } from "./bench-attribution.ts";
import { attributeByReference } from "./reference-attribution.ts";

const found: AttributionOutcome = {
  segment: { prompt: "p1", operation: "plan" },
  factors: { tickets: -1_000_000, attempts_per_ticket: 9_000_000 },
  events: 1000,
  ms: 1,
  peakMb: 1,
};

function aComparison(product: Partial<AttributionOutcome>): AttributionComparison {
  const measured = { seconds: 1, memoryMb: 1 };
  return {
    input: found,
    sides: [
      { side: "reference", row: found, ...measured },
      { side: "product", row: { ...found, ...product }, ...measured },
    ],
  };
}

it("sides agree when segment, strongest factor and the factors' sum are the same, in whatever order and within a millionth", () => {
  const same = aComparison({
    segment: { operation: "plan", prompt: "p1" },
    factors: { attempts_per_ticket: 9_000_007, tickets: -1_000_000 },
  });
  expect(differencesOf(same)).toEqual([]);
  expect(renderAttribution(same)).toMatch(/Both name the fault that was put in: operation plan, prompt p1\.\n$/);
});

it.each([
  [{ segment: { prompt: "p1" } }, "product found prompt p1, the fault was in operation plan, prompt p1"],
  [{ segment: {} }, "product found nothing, the fault was in operation plan, prompt p1"],
  [{ factors: { tickets: 9_000_000, attempts_per_ticket: -1_000_000 } }, "product blames tickets, reference attempts_per_ticket"],
  [{ factors: { ...found.factors, price: 9 } }, "the factors of product sum to 8000009 micro-USD, those of reference to 8000000"],
])("tells in what the sides differ: %j", (product, difference) => {
  const differing = aComparison(product);
  expect(differencesOf(differing)).toEqual([difference]);
  expect(renderAttribution(differing)).toContain(`They differ: ${difference}.`);
});

it("reference and product find the same segment and the same part of each factor, whatever the workload", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const workload = createAttributionWorkload(10_000, seed);
    const reference = attributeByReference(workload);
    const product = attributeCost({ now: createCostWindow(workload.now), then: createCostWindow(workload.then), scale: 1 });
    expect(product.segment).toEqual(reference.segment);
    expect(product.segment).toEqual(workload.faulty);
    const change = product.segmentCostMicroUsd - product.segmentBaselineMicroUsd;
    for (const { factor, changeMicroUsd } of product.factors)
      expect(Math.abs(changeMicroUsd - (reference.factors[factor] ?? 0))).toBeLessThanOrEqual(1e-9 * change);
  }
});
