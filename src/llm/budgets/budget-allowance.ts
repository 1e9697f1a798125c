import type { Budget } from "../../../packages/sdk/src/wire/budgets.ts";
import type { Instant } from "../../core/clock.ts";
import { dayMs, hourMs } from "../../core/duration.ts";

/** Weights of a profile: one per hour of a week. */
export const hoursPerWeek = 168;

/** Monday 1970-01-05 00:00 UTC: where weeks are counted from. */
const firstMonday = 4 * dayMs;

/** One period of a budget, [startsAt, endsAt). */
export interface Period {
  readonly startsAt: Instant;
  readonly endsAt: Instant;
}

/** The period that `now` lies in. Periods follow each other without a gap, before `periodStartsAt` too. */
export function periodAt(budget: Budget, now: Instant): Period {
  const index = Math.floor((now - budget.periodStartsAt) / budget.periodMs);
  const startsAt = budget.periodStartsAt + index * budget.periodMs;
  return { startsAt, endsAt: startsAt + budget.periodMs };
}

/** Seconds until the limit starts anew. */
export function periodRemainingSeconds(budget: Budget, now: Instant): number {
  return (periodAt(budget, now).endsAt - now) / 1000;
}

/**
 * What the plan spends at `now`, in micro-USD per second: the limit spread over the period by the profile.
 * Its integral over a period is the limit, whatever the profile sums to and however the period lies in the week.
 */
export function allowanceAt(budget: Budget, now: Instant): number {
  const uniform = (budget.limitMicroUsd / budget.periodMs) * 1000;
  const profile = budget.profile;
  if (profile === undefined) return uniform;
  const weightMs = weightWithin(periodAt(budget, now), profile, hourMsOf(budget));
  if (weightMs <= 0) return uniform;
  return (budget.limitMicroUsd * weightAt(profile, hourMsOf(budget), now) * 1000) / weightMs;
}

/** What the plan spends between two instants of one period, in micro-USD. */
export function plannedBetween(budget: Budget, from: Instant, to: Instant): number {
  const profile = budget.profile;
  const uniform = (budget.limitMicroUsd * (to - from)) / budget.periodMs;
  if (profile === undefined) return uniform;
  const weightMs = weightWithin(periodAt(budget, from), profile, hourMsOf(budget));
  if (weightMs <= 0) return uniform;
  return (budget.limitMicroUsd * weightWithin({ startsAt: from, endsAt: to }, profile, hourMsOf(budget))) / weightMs;
}

function hourMsOf(budget: Budget): number {
  return budget.profileHourMs ?? hourMs;
}

function weightAt(profile: readonly number[], profileHourMs: number, at: Instant): number {
  const hour = Math.floor((at - firstMonday) / profileHourMs);
  return profile[((hour % hoursPerWeek) + hoursPerWeek) % hoursPerWeek] ?? 0;
}

/** Integral of the weight over [startsAt, endsAt) in weight × milliseconds. Whole weeks are not walked. */
function weightWithin({ startsAt, endsAt }: Period, profile: readonly number[], profileHourMs: number): number {
  const weekMs = profileHourMs * hoursPerWeek;
  const weeks = Math.floor((endsAt - startsAt) / weekMs);
  let sum = weeks * profileHourMs * profile.reduce((total, weight) => total + weight, 0);
  let at = startsAt + weeks * weekMs;
  while (at < endsAt) {
    const hourEnds = firstMonday + (Math.floor((at - firstMonday) / profileHourMs) + 1) * profileHourMs;
    const until = Math.min(hourEnds, endsAt);
    sum += weightAt(profile, profileHourMs, at) * (until - at);
    at = until;
  }
  return sum;
}
