import { join } from "node:path";
import type { Redis } from "ioredis";
import { damagedSummary } from "../core/run.ts";
import { available } from "../platform/redis/available.ts";
import { isId, keepEndedMs, runKeys } from "../platform/redis/run-keys.ts";
import { loadScript } from "../platform/redis/script.ts";

/** Runs whose record in Redis cannot be read any more. No worker touches them; their target stays locked until a person gives them up. */
export interface DamagedRuns {
  count(): Promise<number>;
  /** False: the run is not damaged; nothing was changed. */
  giveUp(runId: string, by: string, reason: string): Promise<boolean>;
}

/** Over the set that set-aside.lua fills. */
export function createDamagedRuns(redis: Redis): DamagedRuns {
  const script = loadScript(join(import.meta.dirname, "lua/give-up.lua"));
  return {
    count: async () => available(async () => redis.scard(runKeys.damaged)),
    async giveUp(runId, by, reason) {
      if (!isId(runId)) return false;
      const summary = {
        ...damagedSummary(runId),
        state: "ended",
        outcome: "failed",
        note: `Its record was damaged. Given up by ${by}: ${reason}`,
      };
      const keys = [runKeys.run(runId), runKeys.journal(runId), runKeys.locks(runId), runKeys.openRuns, runKeys.damaged];
      return (await available(async () => script.run(redis, keys, [runId, JSON.stringify(summary), keepEndedMs]))) === 1;
    },
  };
}
