import type { Redis } from "ioredis";
import { type AuditLog, parseAuditEntry } from "../core/audit.ts";
import { chainText } from "../core/chain.ts";
import type { Clock } from "../core/clock.ts";
import { dayMs } from "../core/duration.ts";
import { genesisHead, nextHead } from "../core/journal.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import { available } from "../platform/redis/available.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { appendRecord } from "./redis-scripts.ts";

/** Acts of people are kept this long. */
export const auditRetentionMs = 400 * dayMs;
/** One new record removes at most this many old ones. */
const dropAtOnce = 20;
const tries = 100;

/** The audit log over Redis: one chain for all runs and servers. */
export function createAuditLog(redis: Redis, clock: Pick<Clock, "now">): AuditLog {
  /** Acts of one server stand in line, so that only those of several have to be read again. */
  let last: Promise<unknown> = Promise.resolve();

  const write = async (plain: string): Promise<void> => {
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const [[head, start], oldest] = await Promise.all([
        redis.hmget(runKeys.auditState, "head", "start"),
        redis.lrange(runKeys.audit, 0, dropAtOnce - 1),
      ]);
      const { drop, after } = outdated(oldest, start ?? genesisHead, clock.now() - auditRetentionMs);
      const next = chainText(head ?? genesisHead, plain);
      const result = await appendRecord.run(redis, {
        keys: { records: runKeys.audit, state: runKeys.auditState },
        args: {
          expectedHead: head ?? "",
          newHead: next.head,
          record: next.text,
          drop,
          newStart: after,
          expectedStart: start ?? "",
        },
      });
      if (result === "ok") return;
    }
    throw new StoreUnavailable(new Error(`The audit log was written by others ${tries} times.`));
  };

  return {
    async append(entry) {
      const turn = last.then(async () => available(async () => write(JSON.stringify(entry))));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

/** How many of the oldest records are over their time, and the head behind them. A record that cannot be read stays: it is evidence. */
function outdated(oldest: readonly string[], start: string, before: number): { readonly drop: number; readonly after: string } {
  let after = start;
  let drop = 0;
  for (const text of oldest) {
    try {
      if (parseAuditEntry(text).at >= before) break;
    } catch {
      break;
    }
    after = nextHead(after, text);
    drop += 1;
  }
  return { drop, after };
}
