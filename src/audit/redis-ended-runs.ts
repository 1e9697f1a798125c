import type { Redis } from "ioredis";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { AuditLog } from "../core/audit.ts";
import { dayMs, minuteMs } from "../core/duration.ts";
import { available } from "../platform/redis/available.ts";
import { runKeys } from "../platform/redis/run-keys.ts";

const runsAtOnce = 200;

/** Runs that are kept for a shorter time than this leave no record: those of the watchdog are 720 a day. */
const shortestRecordedMs = 2 * dayMs;
/** A run is missed until so long before its end in Redis, whose clock may be ahead of this process's. */
const skewMs = 5 * minuteMs;

/** What ended runs are recorded with. */
export interface EndedRunDeps {
  readonly redis: Redis;
  readonly audit: AuditLog;
  readonly now: () => number;
}

/**
 * Writes the heads of the journals of runs that have ended since the last call into the audit log, so that a run which is removed as a whole is
 * missed. The heads were set down by the script that ended the runs, so that one which is removed before this call is missed as well.
 * Recorded first and forgotten afterwards: a crash between records twice. Rejects with `StoreUnavailable`.
 */
export async function recordEndedRuns({ redis, audit, now }: EndedRunDeps): Promise<void> {
  for (;;) {
    const rows = await available(async () => redis.lrange(runKeys.endedRuns, 0, runsAtOnce - 1));
    if (rows.length === 0) return;
    const at = now();
    const ended = await available(async () => Promise.all([...new Set(rows)].map(async (row) => readEnd(redis, row, at))));
    const runs = Object.fromEntries(ended.flat());
    const count = Object.keys(runs).length;
    if (count > 0) {
      await audit.append({ at, kind: "runs_ended", by: "runbookd", subject: `${count} run${count === 1 ? "" : "s"}`, detail: { runs } });
    }
    await available(async () => Promise.all(rows.map(async (row) => redis.lrem(runKeys.endedRuns, 1, row))));
  }
}

async function readEnd(redis: Redis, row: string, at: number): Promise<readonly (readonly [string, Json])[]> {
  const [id = "", head, keptUntilText] = row.split(" ");
  if (head === undefined) return readRunningOut(redis, id, at);
  const keptUntil = Number(keptUntilText) - skewMs;
  return keptUntil - at < shortestRecordedMs ? [] : [[id, { head, keptUntil }]];
}

/** Of a row that an earlier version wrote: it has the id alone. */
async function readRunningOut(redis: Redis, id: string, at: number): Promise<readonly (readonly [string, Json])[]> {
  const [head, remainingMs] = await Promise.all([redis.hget(runKeys.run(id), "head"), redis.pttl(runKeys.run(id))]);
  return head === null || remainingMs < shortestRecordedMs ? [] : [[id, { head, keptUntil: at + remainingMs }]];
}
