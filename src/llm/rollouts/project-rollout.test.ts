import { describe, expect, it } from "@jest/globals";
import { aRolloutPlan } from "../../../test/builders/rollout-counts.ts";
import { dayMs, hourMs } from "../../core/duration.ts";
import { projectRollout, proposeSteps } from "./project-rollout.ts";

const careful = aRolloutPlan();
const quick = aRolloutPlan({ steps: [0.2, 0.5, 1] });

describe("projectRollout", () => {
  it("takes about 25 days of 50 tickets for five steps, and 10 for three", () => {
    const [five, three] = [careful, quick].map((plan) => projectRollout(plan, { ticketsPerDay: 50 }));
    expect(Math.abs((five?.days ?? 0) - 25)).toBeLessThan(2.5);
    expect(Math.abs((three?.days ?? 0) - 10)).toBeLessThan(1.1);
    expect(five?.promoted).toBeGreaterThan(0.9);
    expect(five?.days).toBe((five?.tickets ?? 0) / 50);
    expect(projectRollout(quick, { ticketsPerDay: 50 })).toEqual(three);
  });

  it("takes the steps' own time when there are many tickets", () => {
    const { days } = projectRollout(aRolloutPlan({ steps: [0.2, 0.5, 1], intervalMs: dayMs }), { ticketsPerDay: 1_000_000 });
    expect(days).toBeCloseTo(3, 1);
  });

  it("names no time when an equal canary is hardly ever promoted, and refuses to project without tickets", () => {
    expect(projectRollout(aRolloutPlan({ steps: [0.2, 1], maxTickets: 100, minPerStep: 60 }), { ticketsPerDay: 50 })).toMatchObject({
      days: null,
      tickets: null,
      promoted: 0,
    });
    expect(() => projectRollout(quick, { ticketsPerDay: 0 })).toThrow(RangeError);
  });
});

describe("proposeSteps", () => {
  const propose = (ticketsPerDay: number, withinMs = 14 * dayMs) =>
    proposeSteps(aRolloutPlan({ intervalMs: hourMs }), { ticketsPerDay }, withinMs);

  it("proposes the most careful steps that end in the time", () => {
    expect(propose(200)).toMatchObject({ fits: true, projection: { steps: [0.05, 0.1, 0.25, 0.5, 1] } });
    const { fits, projection } = propose(50);
    expect([fits, (projection.days ?? 99) <= 14, projection.steps.length < 5]).toEqual([true, true, true]);
  });

  it("proposes the quickest and says so when none ends in the time", () => {
    const { fits, projection } = propose(20);
    expect([fits, projection.steps]).toEqual([false, [0.5, 1]]);
    expect(projection.days).toBeGreaterThan(14);
  });
});
