import type { SampleGroup } from "../../packages/sdk/src/wire/caches.ts";
import type { PrefixSample } from "../../src/core/prefix-sample.ts";
import { defaultSampleCaps, type PrefixSampleStore, type SampleCaps } from "../../src/llm/usage/prefix-samples.ts";

/** The contract of stores of prefix samples in memory; nothing ages. */
export function createMemoryPrefixSamples(caps: SampleCaps = defaultSampleCaps): PrefixSampleStore {
  const groups = new Map<string, { readonly group: SampleGroup; newest: number; samples: PrefixSample[] }>();
  const keyOf = ({ prompt, provider, model }: SampleGroup) => JSON.stringify([prompt, provider, model]);
  const newestFirst = () => [...groups.values()].sort((a, b) => b.newest - a.newest);
  return {
    async add(samples) {
      for (const sample of samples) {
        const { prompt, provider, model } = sample;
        const known = groups.get(keyOf(sample)) ?? { group: { prompt, provider, model }, newest: 0, samples: [] };
        groups.set(keyOf(sample), known);
        known.newest = Math.max(known.newest, sample.at);
        known.samples = [...known.samples, sample].slice(-caps.samples);
      }
      for (const { group } of newestFirst().slice(caps.groups)) groups.delete(keyOf(group));
    },
    groups: async () => newestFirst().map(({ group }) => group),
    async read(group, limit) {
      const all = groups.get(keyOf(group))?.samples ?? [];
      const kept = new Set(
        all
          .filter(({ texts }) => texts !== undefined)
          .slice(-caps.texts)
          .map(({ id }) => id),
      );
      return all.slice(-Math.max(1, limit)).map((sample) => {
        if (sample.texts === undefined || kept.has(sample.id)) return sample;
        const { texts: _, ...rest } = sample;
        return rest;
      });
    },
  };
}
