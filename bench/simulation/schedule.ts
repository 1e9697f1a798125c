import { createRandom } from "../../src/core/random.ts";

/** The decisions of one simulated world as integers. 0 always means that things go on without a fault. */
export interface Schedule {
  /** A decision that is mostly 0; what the other values mean is the caller's. */
  next(): number;
  /** A choice in [0, `count`) that is equally likely to be any of them; 0 when the recording is over. */
  pick(count: number): number;
  /** Every decision so far. */
  readonly taken: readonly number[];
}

/** Decisions are below this. */
export const decisionBound = 65_536;

/** Rates at which decisions differ from 0; each seed has one of them, so that some worlds have a single fault and others many. */
const rates = [0.01, 0.03, 0.08, 0.2, 0.4] as const;

/** The decisions that follow from a seed. */
export function seededSchedule(seed: number): Schedule {
  const random = createRandom(seed);
  const taken: number[] = [];
  const rate = rates[Math.floor(random() * rates.length)] ?? 0.1;
  const take = (value: number): number => {
    taken.push(value);
    return value;
  };
  return {
    taken,
    next: () => take(random() < rate ? 1 + Math.floor(random() * (decisionBound - 1)) : 0),
    pick: (count) => take(Math.floor(random() * decisionBound)) % count,
  };
}

/** The decisions of a recording; all that follow are 0. */
export function recordedSchedule(decisions: readonly number[]): Schedule {
  const taken: number[] = [];
  const take = (): number => {
    const value = decisions[taken.length] ?? 0;
    taken.push(value);
    return value;
  };
  return { taken, next: take, pick: (count) => take() % count };
}

/** How many decisions of a recording differ from 0. */
export function countDecisions(decisions: readonly number[]): number {
  return decisions.filter((value) => value !== 0).length;
}
