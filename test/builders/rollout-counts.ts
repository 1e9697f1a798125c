import type { ArmCounts, RolloutPlan, RolloutStratum } from "../../packages/sdk/src/wire/rollouts.ts";

/** An arm whose tickets all ended with 0 or 1 and cost the same; 100 micro-USD each if unset. */
export function anArm(ended: number, successes: number, { costMicroUsd = 100 } = {}): ArmCounts {
  return {
    exposed: ended,
    ended,
    quality: successes,
    qualitySquares: successes,
    costMicroUsd: ended * costMicroUsd,
    costSquares: ended * costMicroUsd ** 2,
    costQuality: successes * costMicroUsd,
    unpriced: 0,
  };
}

/** One step; its share is what the canary's part of the tickets is. */
export function aStratum(step: number, canary: ArmCounts, baseline: ArmCounts): RolloutStratum {
  return { step, share: Math.max(0.01, canary.exposed / Math.max(1, canary.exposed + baseline.exposed)), canary, baseline };
}

/** The plan with every default, one hour a step. */
export function aRolloutPlan(overrides: Partial<RolloutPlan> = {}): RolloutPlan {
  return {
    steps: [0.05, 0.1, 0.25, 0.5, 1],
    intervalMs: 3_600_000,
    minPerStep: 30,
    margin: 0.1,
    costLimit: 1.1,
    plannedTickets: 600,
    maxTickets: 3000,
    holdback: 0.05,
    deadlineMs: 3_600_000,
    lagMs: 0,
    guards: [],
    ...overrides,
  };
}
