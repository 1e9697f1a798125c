import { describe, expect, it } from "@jest/globals";
import { bucketOf } from "../../../packages/sdk/src/assignment.ts";
import { aRolloutPlan } from "../../../test/builders/rollout-counts.ts";
import { judgeRollout } from "./judge-rollout.ts";
import { type RecordedTicket, recomputeArm, recountRollout } from "./recount-rollout.ts";

const plan = aRolloutPlan({ steps: [0.1, 0.5, 1] });
const rollout = { salt: "salt", plan, largestShare: 0.5 };

/** Tickets as an application records them: 1,000 under each of two shares, every fifth a failure. */
const tickets: readonly RecordedTicket[] = Array.from({ length: 2000 }, (_, index) => {
  const id = `T-${index}`;
  const step = index < 1000 ? 0 : 1;
  return {
    id,
    step,
    arm: recomputeArm("salt", plan.steps[step] ?? 0, id),
    outcome: { quality: index % 5 === 0 ? 0 : 1, costMicroUsd: 1000 + index },
  };
});
const canaryOf = (step: number) => tickets.filter((ticket) => ticket.step === step && ticket.arm === "canary");

describe("recomputeArm", () => {
  it("is the arm that the application's hash gives", () => {
    expect(recomputeArm("run-1", bucketOf("run-1", "TICKET-7"), "TICKET-7")).toBe("baseline");
    expect(recomputeArm("run-1", bucketOf("run-1", "TICKET-7") + 1e-9, "TICKET-7")).toBe("canary");
  });
});

describe("recountRollout", () => {
  it("counts every ticket in its step and arm", () => {
    const { strata, misassigned, differing } = recountRollout(rollout, tickets);
    expect([misassigned, differing]).toEqual([[], []]);
    expect(strata.map(({ step, share, canary }) => [step, share, canary.exposed])).toEqual([
      [0, 0.1, canaryOf(0).length],
      [1, 0.5, canaryOf(1).length],
    ]);
    const sum = (of: (ticket: RecordedTicket) => number) => canaryOf(1).reduce((total, ticket) => total + of(ticket), 0);
    expect(strata[1]?.canary).toEqual({
      exposed: canaryOf(1).length,
      ended: canaryOf(1).length,
      quality: sum(({ outcome }) => outcome?.quality ?? 0),
      qualitySquares: sum(({ outcome }) => outcome?.quality ?? 0),
      costMicroUsd: sum(({ outcome }) => outcome?.costMicroUsd ?? 0),
      costSquares: sum(({ outcome }) => (outcome?.costMicroUsd ?? 0) ** 2),
      costQuality: sum(({ outcome }) => (outcome?.costMicroUsd ?? 0) * (outcome?.quality ?? 0)),
      unpriced: 0,
    });
    expect(judgeRollout(strata, plan).split.broken).toBe(false);
  });

  it("counts a running ticket as exposed alone, and a ticket without a known cost as unpriced", () => {
    const { strata } = recountRollout(rollout, [
      { id: "a", step: 0, arm: "baseline" },
      { id: "b", step: 0, arm: "baseline", outcome: { quality: 0.5, costMicroUsd: null } },
    ]);
    expect(strata[0]?.baseline).toMatchObject({ exposed: 2, ended: 1, quality: 0.5, qualitySquares: 0.25, unpriced: 1, costMicroUsd: 0 });
  });

  it("leaves out a canary ticket beyond the largest share, and names every ticket whose arm is another", () => {
    const beyond = tickets.find(({ id }) => bucketOf("salt", id) >= 0.5);
    const within = tickets.find(({ id, step }) => step === 0 && bucketOf("salt", id) >= 0.1 && bucketOf("salt", id) < 0.5);
    const wrong = tickets.map((ticket): RecordedTicket => (ticket === beyond || ticket === within ? { ...ticket, arm: "canary" } : ticket));
    const { strata, misassigned, differing } = recountRollout(rollout, wrong);
    expect(misassigned).toEqual([beyond?.id]);
    expect(new Set(differing)).toEqual(new Set([beyond?.id, within?.id]));
    expect(strata.reduce((total, { canary, baseline }) => total + canary.exposed + baseline.exposed, 0)).toBe(1999);
  });
});
