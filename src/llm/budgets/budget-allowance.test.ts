import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Budget } from "../../../packages/sdk/src/wire/budgets.ts";
import { allowanceAt, hoursPerWeek, periodAt, periodRemainingSeconds, plannedBetween } from "./budget-allowance.ts";

const hour = 3_600_000;

const anyBudget = fc
  .record({
    limitMicroUsd: fc.integer({ min: 1, max: 1_000_000_000_000 }),
    periodHours: fc.integer({ min: 1, max: 1500 }),
    periodStartsAt: fc.integer({ min: 0, max: 2_000_000_000_000 }),
    weights: fc.option(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: hoursPerWeek, maxLength: hoursPerWeek }), { nil: undefined }),
    factor: fc.constantFrom(1, 60),
  })
  .map(({ limitMicroUsd, periodHours, periodStartsAt, weights, factor }): Budget => {
    const sum = weights?.reduce((total, weight) => total + weight, 0) ?? 0;
    return {
      id: "b",
      limitMicroUsd,
      periodMs: (periodHours * hour) / factor,
      periodStartsAt,
      ...(weights === undefined || sum === 0 ? {} : { profile: weights.map((weight) => weight / sum), profileHourMs: hour / factor }),
    };
  });

describe("allowanceAt", () => {
  it("sums to the limit over the period, for any profile, start and time scale", () => {
    fc.assert(
      fc.property(anyBudget, fc.integer({ min: 0, max: 2_100_000_000_000 }), (budget, now) => {
        const { startsAt, endsAt } = periodAt(budget, now);
        // The allowance is constant between two hour marks, so sampling each piece once integrates it exactly.
        const step = budget.profileHourMs ?? hour;
        const marks = [startsAt];
        for (let mark = (Math.floor(startsAt / step) + 1) * step; mark < endsAt; mark += step) marks.push(mark);
        marks.push(endsAt);
        let sum = 0;
        for (const [index, from] of marks.slice(0, -1).entries()) {
          sum += (allowanceAt(budget, from) * ((marks[index + 1] ?? from) - from)) / 1000;
        }
        expect(sum / budget.limitMicroUsd).toBeCloseTo(1, 9);
        expect(plannedBetween(budget, startsAt, endsAt) / budget.limitMicroUsd).toBeCloseTo(1, 9);
      }),
      { numRuns: 60 },
    );
  });

  it("spreads evenly without a profile", () => {
    const budget: Budget = { id: "b", limitMicroUsd: 864_000_000, periodMs: 86_400_000, periodStartsAt: 0 };
    expect(allowanceAt(budget, 12_345)).toBe(10_000);
  });

  it("counts hours from Monday 00:00 UTC", () => {
    const profile = Array.from({ length: hoursPerWeek }, (_, index) => (index === 9 ? 1 : 0));
    const budget: Budget = {
      id: "b",
      limitMicroUsd: 3_600_000_000,
      periodMs: 7 * 24 * hour,
      periodStartsAt: Date.UTC(2026, 0, 5),
      profile,
    };
    expect(allowanceAt(budget, Date.UTC(2026, 0, 12, 9, 30))).toBeCloseTo(1_000_000, 6);
    expect(allowanceAt(budget, Date.UTC(2026, 0, 12, 10))).toBe(0);
  });

  it("falls back to an even spread when the profile gives the whole period no weight", () => {
    const profile = Array.from({ length: hoursPerWeek }, (_, index) => (index === 0 ? 1 : 0));
    const budget: Budget = { id: "b", limitMicroUsd: 3600, periodMs: hour, periodStartsAt: Date.UTC(2026, 0, 6), profile };
    expect(allowanceAt(budget, Date.UTC(2026, 0, 6, 0, 30))).toBe(1);
  });
});

describe("periodAt", () => {
  it("holds now, and the next period starts where it ends", () => {
    fc.assert(
      fc.property(anyBudget, fc.integer({ min: 0, max: 2_100_000_000_000 }), (budget, now) => {
        const period = periodAt(budget, now);
        expect(period.startsAt).toBeLessThanOrEqual(now);
        expect(period.endsAt).toBeGreaterThan(now);
        expect(periodAt(budget, period.endsAt).startsAt).toBe(period.endsAt);
        expect(periodRemainingSeconds(budget, now)).toBeCloseTo((period.endsAt - now) / 1000, 6);
      }),
    );
  });
});
