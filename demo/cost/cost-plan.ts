import { type MicroUsd, oneUsd } from "../../src/core/money.ts";
import type { Injected } from "./timeline.ts";

/** Numbers of the cost scenario. Times are real milliseconds of the demo; whatever is divided by the factor is named so. */
export interface CostPlan {
  readonly budget: string;
  readonly queue: string;
  readonly limitMicroUsd: MicroUsd;
  /** 30 days divided by the factor. */
  readonly periodMs: number;
  /** A ticket arrives so often. */
  readonly ticketEveryMs: number;
  /** Tickets that one worker holds at once. */
  readonly concurrency: number;
  /** Normal traffic before the release with the bug. */
  readonly calmMs: number;
  /** Where the bug is, and what must be said of it. */
  readonly storm: Injected;
  /** The burn rate at which the rule fires. */
  readonly threshold: number;
  /** When the demo gives up. */
  readonly timeoutMs: number;
}

const thirtyDaysMs = 30 * 86_400_000;

/** What normal traffic costs per second; the model server's seeded answers make it nearly constant. */
const normalMicroUsdPerSecond = 11_000;
/** Normal traffic burns this much of the plan at the usual factor. */
const normalBurn = 0.4;
const usualFactor = 60;
/** What normal traffic would burn of the tightest plan on an idle machine; on one that is as busy as that it burns half of it. */
const maxNormalBurn = 1.3;

/** The plan of the cost scenario for one factor: the limit follows from what normal traffic costs, so that it burns a little less than planned. */
export function planCost(factor: number): CostPlan {
  const periodMs = Math.round(thirtyDaysMs / factor);
  // A busy machine makes fewer requests per second than planned, in normal traffic and in the storm, so the plan is tighter there. Measured with
  // 24 busy loops on two cores, where the factor is 28: normal traffic burns 0.2 to 0.5 of a plan of 0.86, and an hour of the storm 13 times that plan.
  const burn = Math.min(maxNormalBurn, normalBurn * Math.max(1, usualFactor / factor) ** 1.5);
  const perPeriod = (normalMicroUsdPerSecond / burn) * (periodMs / 1000);
  return {
    budget: "tickets",
    queue: "tickets",
    limitMicroUsd: Math.round(perPeriod / (10 * oneUsd)) * 10 * oneUsd,
    periodMs,
    ticketEveryMs: 1500,
    concurrency: 8,
    // The analysis compares an hour with the hour before it; most of that hour must have been calm.
    calmMs: Math.round(3_000_000 / factor),
    storm: { prompt: "implement", operation: "plan", factor: "attempts_per_ticket", change: "release 1.5.0", maxAttempts: 1 },
    threshold: 14.4,
    timeoutMs: 270_000 + Math.max(0, 60 / factor - 1) * 180_000,
  };
}
