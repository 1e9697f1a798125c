import { describe, expect, it } from "@jest/globals";
import type { PrefixSampleStore, SampleCaps } from "../../src/llm/usage/prefix-samples.ts";
import { aPrefixSample } from "../builders/a-prefix-sample.ts";

const group = { prompt: "implement", provider: "anthropic", model: "claude-sonnet-4-5" };
const caps: SampleCaps = { samples: 5, groups: 2, texts: 2, retentionMs: 60_000 };

/** The specification of every store of prefix samples. `open` makes a fresh one. */
export function describePrefixSamples(name: string, open: (caps: SampleCaps) => Promise<PrefixSampleStore>): void {
  const ids = async (store: PrefixSampleStore, limit = 100) => (await store.read(group, limit)).map(({ id }) => id);

  describe(`${name} as a store of prefix samples`, () => {
    it("gives back what it was given, oldest first", async () => {
      const store = await open(caps);
      const samples = [
        aPrefixSample({ id: "a", at: 1, miss: { reason: "tools_changed", missedTokens: 9 }, parameters: "0123456789abcdef" }),
        aPrefixSample({ id: "b", at: 2, texts: [{ block: 0, text: "Zürich" }] }),
      ];
      await store.add(samples);
      expect(await store.read(group, 10)).toEqual(samples);
      expect(await ids(store, 1)).toEqual(["b"]);
      expect(await store.groups()).toEqual([group]);
    });

    it("keeps prompts, providers and models apart, the busiest last first", async () => {
      const store = await open(caps);
      await store.add([aPrefixSample({ id: "a", at: 5 }), aPrefixSample({ id: "b", at: 9, model: "claude-haiku-4-5" })]);
      expect(await store.groups()).toEqual([{ ...group, model: "claude-haiku-4-5" }, group]);
      expect(await ids(store)).toEqual(["a"]);
      expect(await store.read({ ...group, prompt: "nobody's" }, 10)).toEqual([]);
    });

    it("keeps the newest samples, and the texts of fewer", async () => {
      const store = await open(caps);
      for (let index = 0; index < 8; index += 1)
        await store.add([aPrefixSample({ id: `s${index}`, at: index, texts: [{ block: 0, text: `text ${index}` }] })]);
      const kept = await store.read(group, 100);
      expect(kept.map(({ id, texts }) => [id, texts?.length ?? 0])).toEqual([
        ["s3", 0],
        ["s4", 0],
        ["s5", 0],
        ["s6", 1],
        ["s7", 1],
      ]);
    });

    it("forgets the group that was silent longest when there are too many", async () => {
      const store = await open(caps);
      for (const [index, prompt] of ["one", "two", "three"].entries()) await store.add([aPrefixSample({ id: prompt, prompt, at: index })]);
      expect((await store.groups()).map(({ prompt }) => prompt)).toEqual(["three", "two"]);
      expect(await store.read({ ...group, prompt: "one" }, 10)).toEqual([]);
    });

    it("takes nothing and answers nothing", async () => {
      const store = await open(caps);
      await store.add([]);
      expect(await store.groups()).toEqual([]);
    });
  });
}
