import type { Redis } from "ioredis";
import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";
import { parseFreeze } from "../core/freeze.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import { available } from "../platform/redis/available.ts";
import { createReplication } from "../platform/redis/replication.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import type { RunNotices } from "../runs/run-notices.ts";

/** The freezes that stand in the ledger; they outlive every process. */
export interface FreezeStore {
  /** By time, oldest first. */
  list(): Promise<readonly Freeze[]>;
  /**
   * Sets or replaces the freeze of a scope. Holds back every effect that has no intent yet.
   * Throws StoreUnavailable when it is not known to be on enough replicas: it stands here, and may be gone after a failover.
   */
  put(freeze: Freeze): Promise<void>;
  /** Lifts the freeze of a scope and wakes the runs that were held back; false: there was none. */
  remove(scope: string): Promise<boolean>;
}

/**
 * The hash that append.lua and accept.lua look into. `notices` wakes the runs that were held back; `replicas` is how many must have a freeze
 * before it is said to stand.
 */
export function createFreezeStore(
  redis: Redis,
  { notices, replicas = 0 }: { readonly notices: Pick<RunNotices, "wake">; readonly replicas?: number },
): FreezeStore {
  const replication = createReplication(redis, replicas);
  // A hint for open pages: one that is lost costs them a later look, and the freeze has its own answer.
  const publish = async (scope: string) => {
    await redis.xadd(runKeys.feed, "MAXLEN", "~", 10_000, "*", "kind", "freeze", "id", scope).catch(() => undefined);
  };
  return {
    async list() {
      const rows = await available(async () => redis.hvals(runKeys.freezes));
      return rows.map(parseFreeze).sort((a, b) => a.at - b.at);
    },
    async put(freeze) {
      const life = replication.begin();
      await available(async () => redis.hset(runKeys.freezes, freeze.scope, JSON.stringify(freeze)));
      await publish(freeze.scope);
      // src/platform/redis/replication.int.test.ts: a freeze that only a deposed primary knows holds nobody back.
      if (!(await replication.confirm(life)))
        throw new StoreUnavailable(`The freeze stands, but is not on ${replicas} replica(s) in time; set it again to be sure of it.`);
    },
    async remove(scope) {
      const removed = (await available(async () => redis.hdel(runKeys.freezes, scope))) > 0;
      // A run that is still held back by another scope comes back here; one that is missed checks again after its retry interval.
      const frozenRunIds = await available(async () => redis.smembers(runKeys.frozenRuns));
      for (const runId of frozenRunIds) {
        await available(async () => redis.srem(runKeys.frozenRuns, runId));
        await notices.wake(runId);
      }
      await publish(scope);
      return removed;
    },
  };
}
