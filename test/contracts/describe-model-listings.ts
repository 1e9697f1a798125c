import { describe, expect, it } from "@jest/globals";
import type { ModelListing, ModelListingStore } from "../../src/llm/models/model-listing.ts";

/** What a provider listed at noon of a day in January. */
export function aModelListing(change: Partial<ModelListing> = {}): ModelListing {
  const at = Date.UTC(2026, 0, 5, 12);
  const models = [{ model: "claude-old", lifecycle: "deprecated", retiresAt: at + 1000, features: { tools: true }, listedAt: at }] as const;
  return { provider: "anthropic", at, models, unreadable: ["entry 3"], ...change };
}

/** The specification of every store of model lists. */
export function describeModelListings(name: string, open: () => Promise<ModelListingStore>): void {
  describe(`${name} as a store of model lists`, () => {
    it("keeps the last list of each provider, whole", async () => {
      const store = await open();
      expect(await store.list()).toEqual([]);
      await store.put(aModelListing({ provider: "openai", models: [] }));
      await store.put(aModelListing());
      expect(await store.list()).toEqual([aModelListing(), aModelListing({ provider: "openai", models: [] })]);
      const next = aModelListing({ at: aModelListing().at + 5, models: [], unreadable: [] });
      await store.put(next);
      expect((await store.list())[0]).toEqual(next);
    });

    it("keeps a list that cannot be read any more beside the reason, until it is read again", async () => {
      const store = await open();
      await store.put(aModelListing());
      await store.fail({ provider: "openai", at: 7, reason: "openai cannot be reached" });
      await store.fail({ provider: "anthropic", at: 8, reason: "anthropic answered 401" });
      await store.fail({ provider: "anthropic", at: 9, reason: "anthropic answered 503" });
      expect(await store.list()).toEqual([aModelListing()]);
      expect(await store.failures()).toEqual([
        { provider: "anthropic", at: 9, reason: "anthropic answered 503" },
        { provider: "openai", at: 7, reason: "openai cannot be reached" },
      ]);
      await store.put(aModelListing());
      expect((await store.failures()).map(({ provider }) => provider)).toEqual(["openai"]);
    });
  });
}
