import type { CacheState } from "../../packages/sdk/src/wire/caches.ts";
import type { CacheAnalysisStore } from "../../src/llm/caching/cache-analysis-store.ts";

/** The contract of boards of analyses in memory. */
export function createMemoryCacheAnalysisStore(): CacheAnalysisStore {
  const states = new Map<string, CacheState>();
  return {
    async put(state) {
      states.set(JSON.stringify([state.prompt, state.provider, state.model]), state);
    },
    list: async () => [...states.values()],
    async prune(at) {
      for (const [key, state] of states) if (state.at < at) states.delete(key);
    },
  };
}
