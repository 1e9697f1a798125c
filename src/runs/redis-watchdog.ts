import type { Redis } from "ioredis";
import type { Instant } from "../core/clock.ts";
import { available } from "../platform/redis/available.ts";
import { runKeys } from "../platform/redis/run-keys.ts";

/** When the watchdog last came through the whole pipeline; outlives every process. */
export interface WatchdogRecord {
  /** A watchdog run succeeded. A later one stays when an earlier one is told late. */
  passed(at: Instant): Promise<void>;
  /** Undefined: none ever has. */
  lastPassedAt(): Promise<Instant | undefined>;
}

/** A sorted set of one member: its score only rises. */
export function createWatchdogRecord(redis: Redis): WatchdogRecord {
  return {
    async passed(at) {
      await available(async () => redis.zadd(runKeys.watchdog, "GT", at, "passed"));
    },
    async lastPassedAt() {
      const score = await available(async () => redis.zscore(runKeys.watchdog, "passed"));
      return score === null ? undefined : Number(score);
    },
  };
}
