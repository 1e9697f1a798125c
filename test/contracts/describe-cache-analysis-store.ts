import { describe, expect, it } from "@jest/globals";
import type { CacheState } from "../../packages/sdk/src/wire/caches.ts";
import type { CacheAnalysisStore } from "../../src/llm/caching/cache-analysis-store.ts";

/** A state of a prompt that has too few samples. */
export function aCacheState(change: Partial<CacheState> = {}): CacheState {
  return {
    prompt: "implement",
    provider: "anthropic",
    model: "claude-sonnet-4-5",
    at: 1000,
    newestAt: 900,
    versions: [{ version: null, requests: 3, hit: 0.25 }],
    misses: [],
    reply: { kind: "missing", reason: "too_few_samples", sentence: "There are 3 samples." },
    ...change,
  };
}

/** The specification of every board of analyses. `open` makes a fresh one. */
export function describeCacheAnalysisStore(name: string, open: () => Promise<CacheAnalysisStore>): void {
  describe(`${name} as a board of analyses`, () => {
    it("keeps the newest analysis of each prompt, provider and model", async () => {
      const board = await open();
      await board.put(aCacheState());
      await board.put(aCacheState({ model: "claude-haiku-4-5" }));
      await board.put(aCacheState({ at: 2000, version: "7" }));
      const listed = [...(await board.list())].sort((a, b) => (a.model < b.model ? -1 : 1));
      expect(listed).toEqual([aCacheState({ model: "claude-haiku-4-5" }), aCacheState({ at: 2000, version: "7" })]);
    });

    it("forgets what is old", async () => {
      const board = await open();
      await board.put(aCacheState());
      await board.put(aCacheState({ prompt: "review", at: 5000 }));
      await board.prune(1001);
      await board.prune(1001);
      expect((await board.list()).map(({ prompt }) => prompt)).toEqual(["review"]);
    });
  });
}
