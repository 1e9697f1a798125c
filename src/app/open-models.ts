import type { Redis } from "ioredis";
import type { ModelDescription } from "../../packages/sdk/src/wire/models.ts";
import type { ModelRoute } from "../../packages/sdk/src/wire/routing.ts";
import { createAnthropicModels } from "../integrations/anthropic/create-anthropic-models.ts";
import { createOpenAiModels } from "../integrations/openai/create-openai-models.ts";
import { describeModel, describeModels, type ModelFacts } from "../llm/models/describe-model.ts";
import type { ModelCatalog } from "../llm/models/model-catalog.ts";
import { createModelListingStore } from "../llm/models/redis-store.ts";
import { modelListTimes, refreshModelLists } from "../llm/models/refresh-model-lists.ts";
import type { ScheduledTask } from "../platform/queue/scheduled-work.ts";
import type { Runtime } from "./runtime.ts";

/** What is known of models: the providers' lists as they were last read, the table and the prices. */
export function openModels({ modelTable, prices, clock }: Runtime, redis: Redis): ModelCatalog {
  const store = createModelListingStore(redis);
  const facts = async (): Promise<ModelFacts> => ({ listings: await store.list(), table: modelTable, prices });
  return {
    describe: async (refs) => {
      const current = await facts();
      return refs.map((ref) => describeModel(ref, current, clock.now()));
    },
    all: async () => describeModels(await facts(), clock.now()),
  };
}

/** The lists as they were last read, and why one could not be. Rejects with StoreUnavailable when Redis does not answer. */
export async function readModelLists(redis: Redis) {
  const store = createModelListingStore(redis);
  return { listings: await store.list(), failures: await store.failures() };
}

/** What is known of every model that the routes name, each once. */
export async function describeRouted(
  models: ModelCatalog,
  routes: readonly Pick<ModelRoute, "baseline" | "candidate" | "fallback">[],
): Promise<readonly ModelDescription[]> {
  const named = routes.flatMap(({ baseline, candidate, fallback }) => [baseline, ...(candidate === null ? [] : [candidate]), ...fallback]);
  const refs = new Map(named.map(({ provider, model }) => [`${provider}/${model}`, { provider, model }]));
  return models.describe([...refs.values()]);
}

/** The reading of the providers' lists of models, for one process of all; nothing without a key. */
export function scheduleModelLists({ config, clock }: Runtime, redis: Redis): readonly ScheduledTask[] {
  const { anthropic, openai } = config.providers;
  const sources = [
    ...(anthropic.apiKey === undefined ? [] : [createAnthropicModels({ baseUrl: anthropic.baseUrl, apiKey: anthropic.apiKey }, clock)]),
    ...(openai.apiKey === undefined ? [] : [createOpenAiModels({ baseUrl: openai.baseUrl, apiKey: openai.apiKey }, clock)]),
  ];
  if (sources.length === 0) return [];
  const divided = (ms: number) => Math.max(1000, ms / config.timeFactor);
  const refresh = { sources, store: createModelListingStore(redis), clock, ageMs: divided(modelListTimes.ageMs) };
  return [{ name: "model-lists", intervalMs: divided(modelListTimes.checkMs), run: async (signal) => refreshModelLists(refresh, signal) }];
}
