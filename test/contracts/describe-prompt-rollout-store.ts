import { describe, expect, it } from "@jest/globals";
import type { PromptRolloutStore } from "../../src/llm/prompts/prompt-rollout-store.ts";

/** The specification of every store of canaries. `open` makes a fresh one. */
export function describePromptRolloutStore(name: string, open: () => Promise<PromptRolloutStore>): void {
  const tenth = { version: 2, share: 0.1, salt: "run-1" };
  const half = { ...tenth, share: 0.5 };

  describe(`${name} as a store of canaries`, () => {
    it("has none until one is set, and none again when it is taken away", async () => {
      const store = await open();
      expect(await store.read("implement")).toBeNull();
      expect(await store.compareAndSet("implement", null, tenth)).toEqual({ set: true, rollout: tenth });
      expect(await store.read("implement")).toEqual(tenth);
      expect(await store.read("review")).toBeNull();
      expect(await store.compareAndSet("implement", tenth, null)).toEqual({ set: true, rollout: null });
      expect(await store.read("implement")).toBeNull();
    });

    it("writes only over what was seen", async () => {
      const store = await open();
      await store.compareAndSet("implement", null, tenth);
      expect(await store.compareAndSet("implement", null, half)).toEqual({ set: false, rollout: tenth });
      expect(await store.compareAndSet("implement", { ...tenth, salt: "run-2" }, half)).toEqual({ set: false, rollout: tenth });
      expect(await store.compareAndSet("implement", tenth, half)).toEqual({ set: true, rollout: half });
    });
  });
}
