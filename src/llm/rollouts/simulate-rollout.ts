import type { RolloutPlan, RolloutStratum } from "../../../packages/sdk/src/wire/rollouts.ts";
import { dayMs } from "../../core/duration.ts";
import type { Random } from "../../core/random.ts";
import { judgeRollout } from "./judge-rollout.ts";
import { nextRolloutMove, type RolloutMove } from "./next-rollout-move.ts";
import { type CountingArm, countExposure, countOutcome, createArmCounts } from "./recount-rollout.ts";
import { shareAt } from "./rollout.ts";

/** Success ratios of both arms at the nth ticket, 0 to 1. */
export type SimulatedTruth = (ticket: number) => { readonly baseline: number; readonly canary: number };

/** What is simulated besides the truth. */
export interface SimulatedTraffic {
  readonly random: Random;
  readonly ticketsPerDay: number;
  /** Tickets between two checks. */
  readonly checkEvery: number;
}

/** How one simulated rollout ended. `hold`: nothing was shown. */
export interface SimulatedRollout {
  readonly end: "finish" | "roll_back" | "hold";
  readonly reason: RolloutMove["reason"];
  readonly tickets: number;
  readonly canaryTickets: number;
  /** Failures of canary tickets. */
  readonly canaryFailures: number;
  readonly days: number;
}

/**
 * Runs one rollout over drawn tickets that end at once and cost nothing, with the verdict and the moves of the product. A step's remaining time passes without
 * tickets once its proof is there, so that much traffic is simulated quickly.
 */
export function simulateRollout(
  plan: RolloutPlan,
  truth: SimulatedTruth,
  { random, ticketsPerDay, checkEvery }: SimulatedTraffic,
): SimulatedRollout {
  const strata: (RolloutStratum & { readonly [Arm in "canary" | "baseline"]: CountingArm })[] = [];
  const ticketMs = dayMs / ticketsPerDay;
  let [step, now, stepSince, tickets, canaryTickets, canaryFailures] = [0, 0, 0, 0, 0, 0];
  while (true) {
    const stratum = (strata[step] ??= { step, share: shareAt(plan, step), canary: createArmCounts(), baseline: createArmCounts() });
    tickets += 1;
    now += ticketMs;
    const expected = truth(tickets);
    const isCanary = random() < stratum.share;
    const succeeds = random() < expected[isCanary ? "canary" : "baseline"];
    const arm = stratum[isCanary ? "canary" : "baseline"];
    countExposure(arm);
    countOutcome(arm, { quality: succeeds ? 1 : 0, costMicroUsd: 0 });
    if (isCanary) canaryTickets += 1;
    if (isCanary && !succeeds) canaryFailures += 1;
    if (tickets % checkEvery !== 0) continue;
    const facts = { verdict: judgeRollout(strata, plan), recentExposures: 1, misassigned: 0, guard: { kind: "clear" } } as const;
    // Time is the only thing that can be waited out without tickets.
    const move = nextRolloutMove(
      { plan, state: "running", step, stepSince },
      { ...facts, now: Math.max(now, stepSince + plan.intervalMs) },
    );
    if (move.kind === "advance" || move.kind === "finish") now = Math.max(now, stepSince + plan.intervalMs);
    if (move.kind === "advance") {
      step += 1;
      stepSince = now;
      continue;
    }
    const end = move.kind === "stay" && tickets >= plan.maxTickets ? "hold" : move.kind;
    if (end === "finish" || end === "roll_back" || end === "hold")
      return { end, reason: move.reason, tickets, canaryTickets, canaryFailures, days: now / dayMs };
  }
}
