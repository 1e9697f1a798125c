import type { CacheState } from "../../packages/sdk/src/wire/caches.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { CacheAnalysisStore } from "../../src/llm/caching/cache-analysis-store.ts";

/** The contract of boards of analyses in memory. */
export function createMemoryCacheAnalysisStore(clock: Pick<Clock, "now">): CacheAnalysisStore {
  const states = new Map<string, CacheState>();
  let turnEndsAt = Number.NEGATIVE_INFINITY;
  return {
    async put(state) {
      states.set(JSON.stringify([state.prompt, state.provider, state.model]), state);
    },
    list: async () => [...states.values()],
    async prune(at) {
      for (const [key, state] of states) if (state.at < at) states.delete(key);
    },
    async takeTurn(forMs) {
      if (clock.now() < turnEndsAt) return false;
      turnEndsAt = clock.now() + forMs;
      return true;
    },
  };
}
