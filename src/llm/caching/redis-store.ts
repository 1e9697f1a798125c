import type { Redis } from "ioredis";
import type { CacheState } from "../../../packages/sdk/src/wire/caches.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import type { CacheAnalysisStore } from "./cache-analysis-store.ts";

/** The newest analysis of each prompt in one hash. Rejects with StoreUnavailable when Redis does not answer. */
export function createCacheAnalysisStore(redis: Redis): CacheAnalysisStore {
  const list = async (): Promise<readonly (readonly [string, CacheState])[]> =>
    Object.entries(await redis.hgetall(keys.cacheStates)).map(([field, text]) => [field, JSON.parse(text)] as const);
  return {
    put: (state) =>
      available(async () => {
        const field = JSON.stringify([state.prompt, state.provider, state.model]);
        await redis.hset(keys.cacheStates, field, JSON.stringify(state));
      }),
    list: () => available(async () => (await list()).map(([, state]) => state)),
    prune: (at) =>
      available(async () => {
        const old = (await list()).filter(([, state]) => state.at < at).map(([field]) => field);
        if (old.length > 0) await redis.hdel(keys.cacheStates, ...old);
      }),
  };
}
