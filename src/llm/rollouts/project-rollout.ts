import type { RolloutPlan } from "../../../packages/sdk/src/wire/rollouts.ts";
import { dayMs } from "../../core/duration.ts";
import { createRandom } from "../../core/random.ts";
import { simulateRollout } from "./simulate-rollout.ts";

/** What a projection assumes. */
export interface RolloutTraffic {
  readonly ticketsPerDay: number;
  /** Success ratio of both arms, 0 to 1; 0.8 if unset. */
  readonly successRatio?: number;
}

/** What a plan takes when the canary is equal to the baseline. */
export interface RolloutProjection {
  readonly steps: readonly number[];
  /** Median days and tickets until it is promoted; null: it is promoted in less than half of the cases. */
  readonly days: number | null;
  readonly tickets: number | null;
  /** Share of the cases in which it is promoted, 0 to 1. */
  readonly promoted: number;
  /** Median tickets that get the canary before the end. */
  readonly canaryTickets: number;
}

/** A proposal of steps for a time. `fits` is false when no plan is projected to end in it; it is then the quickest. */
export interface StepProposal {
  readonly fits: boolean;
  readonly projection: RolloutProjection;
}

const simulatedRuns = 100;
const checkEvery = 10;
/** Steps from careful to quick: the first that ends in time is proposed. */
const proposals: readonly (readonly number[])[] = [
  [0.05, 0.1, 0.25, 0.5, 1],
  [0.1, 0.25, 0.5, 1],
  [0.1, 0.5, 1],
  [0.2, 0.5, 1],
  [0.5, 1],
];

/**
 * Projects how long a plan takes at a number of tickets a day, by simulating an equal canary. Always the same answer for the same plan and traffic, after up to a
 * second of arithmetic. Throws RangeError without traffic, as nothing would ever end.
 */
export function projectRollout(plan: RolloutPlan, { ticketsPerDay, successRatio = 0.8 }: RolloutTraffic): RolloutProjection {
  if (!(ticketsPerDay > 0)) throw new RangeError("a projection needs more than 0 tickets a day");
  const random = createRandom(20);
  const truth = () => ({ baseline: successRatio, canary: successRatio });
  const runs = Array.from({ length: simulatedRuns }, () => simulateRollout(plan, truth, { random, ticketsPerDay, checkEvery }));
  const promoted = runs.filter(({ end }) => end === "finish");
  const usual = promoted.length * 2 >= runs.length;
  return {
    steps: plan.steps,
    days: usual ? middle(promoted.map(({ days }) => days)) : null,
    tickets: usual ? middle(promoted.map(({ tickets }) => tickets)) : null,
    promoted: promoted.length / runs.length,
    canaryTickets: middle(runs.map(({ canaryTickets }) => canaryTickets)),
  };
}

/** Proposes steps with which an equal canary is promoted within `withinMs`; the plan gives everything but the steps. */
export function proposeSteps(plan: RolloutPlan, traffic: RolloutTraffic, withinMs: number): StepProposal {
  const projections: RolloutProjection[] = [];
  for (const steps of proposals) {
    const projection = projectRollout({ ...plan, steps: [...steps] }, traffic);
    if (projection.days !== null && projection.days * dayMs <= withinMs) return { fits: true, projection };
    projections.push(projection);
  }
  const [quickest] = projections.sort((a, b) => (a.days ?? Number.POSITIVE_INFINITY) - (b.days ?? Number.POSITIVE_INFINITY));
  if (quickest === undefined) throw new Error("there are no steps to propose");
  return { fits: false, projection: quickest };
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
