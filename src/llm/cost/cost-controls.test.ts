import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { costFactors } from "../../../packages/sdk/src/wire/costs.ts";
import { type CostRise, decideCostControls } from "./cost-controls.ts";

/** An hour of $100, where the plan allows $36; retries made $90 of it from $10. */
const aRise = (change: Partial<CostRise> = {}): CostRise => ({
  factor: "attempts_per_ticket",
  times: 9,
  costMicroUsd: 100_000_000,
  segmentCostMicroUsd: 90_000_000,
  durationMs: 3_600_000,
  allowanceMicroUsdPerSecond: 10_000,
  ...change,
});

it("allows one attempt, and the volume as it is, when retries were all that was too much", () => {
  expect(decideCostControls(aRise())).toEqual({
    scale: 1,
    maxAttempts: 1,
    predictedMicroUsdPerHour: 20_000_000,
    because: "With one attempt per ticket the same work costs $20.00 an hour, and the plan allows $36.00, so the volume may stay.",
  });
});

it("scales the volume too when one attempt each still costs more than the plan allows", () => {
  expect(decideCostControls(aRise({ allowanceMicroUsdPerSecond: 2500 }))).toMatchObject({
    scale: 0.45,
    maxAttempts: 1,
    because: expect.stringMatching(/costs \$20\.00 an hour, and the plan allows \$9\.00, so 45 % of the volume goes on\.$/),
  });
});

it.each([
  [
    "holds half of the volume back where no limit reaches the factor",
    aRise({ factor: "tickets", allowanceMicroUsdPerSecond: 30_000 }),
    0.5,
  ],
  ["and more when half would not do", aRise({ factor: "cache_mix" }), 0.36],
  ["but never all of it", aRise({ factor: "price", allowanceMicroUsdPerSecond: 0 }), 0.1],
])("%s", (_name, rise, scale) => {
  const controls = decideCostControls(rise);
  expect(controls.scale).toBe(scale);
  expect(controls).not.toHaveProperty("maxAttempts");
});

it("only lowers, and what it lets through fits the plan unless a tenth is too much already", () => {
  const amount = fc.integer({ min: 0, max: 1_000_000_000 });
  fc.assert(
    fc.property(
      fc.record({
        factor: fc.constantFrom(...costFactors),
        times: fc.double({ min: 0.01, max: 1000, noNaN: true }),
        costMicroUsd: amount,
        segmentCostMicroUsd: amount,
        durationMs: fc.integer({ min: 1000, max: 86_400_000 }),
        allowanceMicroUsdPerSecond: fc.integer({ min: 0, max: 1_000_000 }),
      }),
      (rise) => {
        const { scale, predictedMicroUsdPerHour: predicted } = decideCostControls({
          ...rise,
          segmentCostMicroUsd: Math.min(rise.costMicroUsd, rise.segmentCostMicroUsd),
        });
        expect(scale).toBeGreaterThanOrEqual(0.1);
        expect(scale).toBeLessThanOrEqual(1);
        expect(scale === 0.1 || scale * predicted <= 3600 * rise.allowanceMicroUsdPerSecond + 1).toBe(true);
      },
    ),
  );
});
