import type { Redis } from "ioredis";
import { z } from "zod";
import { newChangeSchema } from "../../../packages/sdk/src/wire/changes.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { type ChangeLog, maxChanges } from "./change-log.ts";

const stored = newChangeSchema.required({ at: true }).extend({ by: z.string() });

/** Changes in one sorted set, by time. Rejects with StoreUnavailable when Redis does not answer. */
export function createChangeLog(redis: Redis): ChangeLog {
  return {
    record: (change) =>
      available(async () => {
        await redis.zadd(keys.changes, change.at, JSON.stringify(change));
        await redis.zremrangebyrank(keys.changes, 0, -1 - maxChanges);
      }),
    between: (from, to, limit) =>
      available(async () => {
        const rows = await redis.zrevrangebyscore(keys.changes, to, from, "LIMIT", 0, limit);
        return rows.map((row) => stored.parse(JSON.parse(row))).toReversed();
      }),
  };
}
