import type { RecentDecision } from "../../packages/sdk/src/wire/alerts.ts";

/** The newest decisions of this process, for people who look where an alert went. Forgotten when it ends. */
export interface RecentDecisions {
  add(decision: RecentDecision): void;
  /** Of one alert, newest first. */
  of(fingerprint: string): readonly RecentDecision[];
}

/** Keeps at most `capacity` decisions; a storm pushes older ones out. */
export function createRecentDecisions(capacity = 2000): RecentDecisions {
  const decisions: RecentDecision[] = [];
  let next = 0;
  return {
    add(decision) {
      decisions[next] = decision;
      next = (next + 1) % capacity;
    },
    of(fingerprint) {
      // What stands before `next` is newer than what stands behind it.
      const newestFirst = [...decisions.slice(next), ...decisions.slice(0, next)].toReversed();
      return newestFirst.filter((decision) => decision.fingerprint === fingerprint);
    },
  };
}
