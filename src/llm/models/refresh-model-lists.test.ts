import { describe, expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { dayMs } from "../../core/duration.ts";
import { createMemoryModelListings } from "../../rehearsal/memory-model-listings.ts";
import type { ListedModel, ProviderModels } from "./model-listing.ts";
import { refreshModelLists } from "./refresh-model-lists.ts";

const never = new AbortController().signal;
const modelsOf = (...names: readonly string[]): readonly ListedModel[] => names.map((model) => ({ model, features: {} }));

function aRefresh() {
  const clock = createFakeClock();
  const store = createMemoryModelListings();
  const asked: string[] = [];
  const answers: Record<string, ProviderModels | Error> = {
    anthropic: { models: modelsOf("a", "b"), unreadable: ["entry 3"] },
    openai: { models: modelsOf("c"), unreadable: [] },
  };
  const sources = ["anthropic", "openai"].map((provider) => ({
    provider,
    async list() {
      asked.push(provider);
      const answer = answers[provider];
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("none");
      return answer;
    },
  }));
  const refresh = async (signal = never) => refreshModelLists({ sources, store, clock, ageMs: dayMs }, signal);
  return { clock, store, asked, answers, refresh };
}

describe("keeping the lists of models", () => {
  it("reads a list once a day, whoever asks how often", async () => {
    const { clock, store, asked, refresh } = aRefresh();
    await refresh();
    await refresh();
    expect(asked).toEqual(["anthropic", "openai"]);
    await clock.advance(dayMs);
    await refresh();
    expect(asked).toHaveLength(4);
    expect(await store.list()).toMatchObject([
      { provider: "anthropic", at: clock.now(), unreadable: ["entry 3"] },
      { provider: "openai", models: [{ model: "c", listedAt: clock.now() }] },
    ]);
  });

  it.each([
    ["cannot be read", new Error("anthropic answered 503\nBearer"), "anthropic answered 503 Bearer"],
    ["is empty", { models: [], unreadable: ["x"] }, "anthropic answered a list without a model that can be read"],
  ])(
    "leaves what is known with its age when the list %s, reads the others, and tries again at the next look",
    async (_how, answer, reason) => {
      const { clock, store, asked, answers, refresh } = aRefresh();
      await refresh();
      const [before] = await store.list();
      await clock.advance(dayMs);
      answers["anthropic"] = answer;
      await refresh();
      expect((await store.list())[0]).toEqual(before);
      expect((await store.list())[1]).toMatchObject({ at: clock.now() });
      expect(await store.failures()).toEqual([{ provider: "anthropic", at: clock.now(), reason }]);
      answers["anthropic"] = { models: modelsOf("a"), unreadable: [] };
      await clock.advance(1000);
      await refresh();
      expect(asked.slice(4)).toEqual(["anthropic"]);
      expect(await store.failures()).toEqual([]);
    },
  );

  it("keeps a model that left the list for a year and a bit, with the time at which it was seen last", async () => {
    const { clock, store, answers, refresh } = aRefresh();
    await refresh();
    const first = clock.now();
    answers["anthropic"] = { models: modelsOf("b"), unreadable: [] };
    await clock.advance(dayMs);
    await refresh();
    expect((await store.list())[0]?.models.map(({ model, listedAt }) => [model, listedAt])).toEqual([
      ["b", clock.now()],
      ["a", first],
    ]);
    await clock.advance(400 * dayMs);
    await refresh();
    expect((await store.list())[0]?.models.map(({ model }) => model)).toEqual(["b"]);
  });

  it("ends at once when the process does, and calls that no failure of the provider", async () => {
    const { store, answers, refresh } = aRefresh();
    const ending = new AbortController();
    answers["anthropic"] = new Error("aborted");
    ending.abort(new Error("ending"));
    await expect(refresh(ending.signal)).rejects.toThrow("ending");
    expect(await store.failures()).toEqual([]);
  });
});
