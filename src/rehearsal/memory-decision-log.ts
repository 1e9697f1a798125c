import type { KeptDecision } from "../../packages/sdk/src/wire/alerts.ts";
import {
  classOf,
  type DecisionLimits,
  type DecisionLog,
  defaultDecisionLimits,
  type NewDecision,
  qualitiesOf,
  repetitionOf,
} from "../alerts/decision-log.ts";
import type { Clock } from "../core/clock.ts";

/** A fake behind `DecisionLog`; passes the same contract suite as the log in Redis. */
export function createMemoryDecisionLog(clock: Pick<Clock, "now">, limits: DecisionLimits = defaultDecisionLimits): DecisionLog {
  let kept: readonly KeptDecision[] = [];
  const alertOf = ({ fingerprint, runbook = "" }: NewDecision) => JSON.stringify([fingerprint, runbook]);

  function record(decision: NewDecision, countsRepeats: boolean): void {
    const previous = kept.findLast((one) => alertOf(one) === alertOf(decision));
    if (previous !== undefined && repetitionOf(previous) === repetitionOf(decision)) {
      const repeated = { ...previous, count: previous.count + 1, lastAt: decision.at };
      if (countsRepeats) kept = kept.map((one) => (one === previous ? repeated : one));
      return;
    }
    kept = [...kept, { ...decision, count: 1, lastAt: decision.at }];
    const sameClass = kept.filter((one) => classOf(one) === classOf(decision));
    if (sameClass.length > limits.maxPerClass) kept = kept.filter((one) => one !== sameClass[0]);
  }

  const current = () => kept.filter(({ at }) => at >= clock.now() - limits.retentionMs);

  return {
    async record(decisions, { countsRepeats = true } = {}) {
      for (const decision of decisions) record(decision, countsRepeats);
      kept = current().slice(-limits.maxEntries);
    },
    async list({ since = 0, until = Number.POSITIVE_INFINITY, ...filter }, { cursor, limit }) {
      if (cursor !== undefined && !kept.some(({ id }) => id === cursor)) return undefined;
      const newestFirst = current().toSorted((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
      const after = cursor === undefined ? 0 : newestFirst.findIndex(({ id }) => id === cursor) + 1;
      const matching = newestFirst.slice(after).filter((decision) => {
        const qualities = qualitiesOf(decision);
        return decision.at >= since && decision.at <= until && qualitiesOf(filter).every((quality) => qualities.includes(quality));
      });
      const items = matching.slice(0, limit);
      const last = items.at(-1);
      return matching.length > limit && last !== undefined ? { items, nextCursor: last.id } : { items };
    },
  };
}
