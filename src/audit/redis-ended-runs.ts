import type { Redis } from "ioredis";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { AuditLog } from "../core/audit.ts";
import { dayMs } from "../core/duration.ts";
import { available } from "../platform/redis/available.ts";
import { runKeys } from "../platform/redis/run-keys.ts";

const runsAtOnce = 200;

/** Runs that are kept for a shorter time than this leave no record: those of the watchdog are 720 a day. */
const shortestRecordedMs = 2 * dayMs;

/** What ended runs are recorded with. */
export interface EndedRunDeps {
  readonly redis: Redis;
  readonly audit: AuditLog;
  readonly now: () => number;
}

/**
 * Writes the heads of the journals of runs that have ended since the last call into the audit log, so that a run which is removed as a whole is
 * missed. Recorded first and forgotten afterwards: a crash between records twice. Rejects with `StoreUnavailable`.
 */
export async function recordEndedRuns({ redis, audit, now }: EndedRunDeps): Promise<void> {
  for (;;) {
    const ids = await available(async () => redis.lrange(runKeys.endedRuns, 0, runsAtOnce - 1));
    if (ids.length === 0) return;
    const at = now();
    const ended = await available(async () => Promise.all([...new Set(ids)].map(async (id) => readEnd(redis, id, at))));
    const runs = Object.fromEntries(ended.flat());
    const count = Object.keys(runs).length;
    if (count > 0) {
      await audit.append({ at, kind: "runs_ended", by: "runbookd", subject: `${count} run${count === 1 ? "" : "s"}`, detail: { runs } });
    }
    await available(async () => Promise.all(ids.map(async (id) => redis.lrem(runKeys.endedRuns, 1, id))));
  }
}

async function readEnd(redis: Redis, id: string, at: number): Promise<readonly (readonly [string, Json])[]> {
  const [head, remainingMs] = await Promise.all([redis.hget(runKeys.run(id), "head"), redis.pttl(runKeys.run(id))]);
  return head === null || remainingMs < shortestRecordedMs ? [] : [[id, { head, keptUntil: at + remainingMs }]];
}
