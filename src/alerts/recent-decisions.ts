import type { Decision, RecentDecision } from "../../packages/sdk/src/wire/alerts.ts";

/** Which decisions are looked for; absent: any. */
export interface DecisionFilter {
  readonly fingerprint?: string | undefined;
  readonly decision?: Decision["decision"] | undefined;
}

/** The newest decisions of this process, for people who look where an alert went. Forgotten when it ends. */
export interface RecentDecisions {
  add(decision: RecentDecision): void;
  /** At most 200, newest first. */
  newest(filter: DecisionFilter): readonly RecentDecision[];
}

const maxAnswered = 200;

/** Keeps at most `capacity` decisions; a storm pushes older ones out. */
export function createRecentDecisions(capacity = 2000): RecentDecisions {
  const decisions: RecentDecision[] = [];
  let next = 0;
  return {
    add(decision) {
      decisions[next] = decision;
      next = (next + 1) % capacity;
    },
    newest({ fingerprint, decision: kind }) {
      // What stands before `next` is newer than what stands behind it.
      const newestFirst = [...decisions.slice(next), ...decisions.slice(0, next)].toReversed();
      const found = newestFirst.filter(
        (one) => (fingerprint === undefined || one.fingerprint === fingerprint) && (kind === undefined || one.decision === kind),
      );
      return found.slice(0, maxAnswered);
    },
  };
}
