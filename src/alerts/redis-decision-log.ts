import type { Redis } from "ioredis";
import { keptDecisionSchema } from "../../packages/sdk/src/wire/alerts.ts";
import type { Clock } from "../core/clock.ts";
import { sha256 } from "../core/json.ts";
import { available } from "../platform/redis/available.ts";
import { formatCursor, latestInstant, parseCursor } from "../platform/redis/index-cursor.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { resultList } from "../platform/redis/script.ts";
import {
  classOf,
  type DecisionLimits,
  type DecisionLog,
  defaultDecisionLimits,
  type NewDecision,
  qualitiesOf,
  repetitionOf,
} from "./decision-log.ts";
import { alertScripts } from "./redis-scripts.ts";

const storedDecision = keptDecisionSchema.omit({ lastAt: true, count: true });

/** Decisions that one call of the script records. */
const recordsAtOnce = 250;

/** Values of a decision in the reply of the script that lists them. */
const replyFields = 4;

/**
 * Decisions over Redis. An index per quality (alert, name, runbook, kind) makes a page cost a bounded number of commands, however many are kept.
 * Rejects with StoreUnavailable when Redis does not answer.
 */
export function createDecisionLog(redis: Redis, clock: Pick<Clock, "now">, limits: DecisionLimits = defaultDecisionLimits): DecisionLog {
  const keys = {
    entries: runKeys.decisionEntries,
    repeats: runKeys.decisionRepeats,
    last: runKeys.decisionLast,
    decisions: runKeys.decisions,
  };
  return {
    record: (decisions, { countsRepeats = true } = {}) =>
      available(async () => {
        for (let from = 0; from < decisions.length; from += recordsAtOnce)
          await alertScripts.recordDecisions.run(redis, {
            keys,
            args: { ...limits, now: clock.now(), countsRepeats },
            moreArgs: decisions.slice(from, from + recordsAtOnce).flatMap(rowOf),
          });
      }),
    list: (filter, { cursor, limit }) =>
      available(async () => {
        const after = parseCursor(cursor);
        if (after === undefined) return undefined;
        const oldest = clock.now() - limits.retentionMs;
        const values = resultList(
          await alertScripts.listDecisions.run(redis, {
            keys: { entries: keys.entries, repeats: keys.repeats },
            moreKeys: indexesOf(filter),
            args: {
              since: Math.max(filter.since ?? 0, oldest, 0),
              latest: filter.until ?? latestInstant,
              cursorScore: after.score,
              cursorId: after.id,
              // One more than is shown says whether there is another page.
              count: limit + 1,
            },
          }),
        ).map(String);
        const rows = Array.from({ length: values.length / replyFields }, (_, row) =>
          values.slice(row * replyFields, (row + 1) * replyFields),
        );
        const items = rows.slice(0, limit).map(([, , entry = "", repeats = ""]) => {
          const decision = storedDecision.parse(JSON.parse(entry.slice(entry.indexOf("\n") + 1)));
          const [, count, lastAt] = /^(\d+) (\d+)$/.exec(repeats) ?? [];
          return { ...decision, count: Number(count ?? 1), lastAt: Number(lastAt ?? decision.at) };
        });
        const [id = "", score = ""] = rows[limit - 1] ?? [];
        return rows.length > limit ? { items, nextCursor: formatCursor({ id, score }) } : { items };
      }),
  };
}

/** Every index that all decisions of the filter are in. */
function indexesOf(filter: Parameters<DecisionLog["list"]>[0]): readonly string[] {
  const qualities = qualitiesOf(filter);
  return qualities.length === 0 ? [runKeys.decisions] : qualities.map((quality) => runKeys.decisionsBy(quality));
}

/** What the script takes for one decision; the indexes are named by their keys, the class first. */
function rowOf(decision: NewDecision): (string | number)[] {
  const indexes = [classOf(decision), ...qualitiesOf(decision)].map((quality) => runKeys.decisionsBy(quality));
  const alert = sha256(`${decision.fingerprint} ${decision.runbook ?? ""}`);
  return [decision.id, decision.at, alert, sha256(repetitionOf(decision)), indexes.join(" "), JSON.stringify(decision)];
}
