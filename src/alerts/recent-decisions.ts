import type { RecentDecision } from "../../packages/sdk/src/wire/alerts.ts";

/** The newest decisions of this process, for people who look where an alert went. Forgotten when it ends. */
export interface RecentDecisions {
  keep(decision: RecentDecision): void;
  /** Of one alert, newest first. */
  of(fingerprint: string): readonly RecentDecision[];
}

/** Keeps at most `capacity` decisions; a storm pushes older ones out. */
export function createRecentDecisions(capacity = 2000): RecentDecisions {
  const kept: RecentDecision[] = [];
  let next = 0;
  return {
    keep(decision) {
      kept[next] = decision;
      next = (next + 1) % capacity;
    },
    of(fingerprint) {
      // What stands before `next` is newer than what stands behind it.
      const newestFirst = [...kept.slice(next), ...kept.slice(0, next)].toReversed();
      return newestFirst.filter((decision) => decision.fingerprint === fingerprint);
    },
  };
}
