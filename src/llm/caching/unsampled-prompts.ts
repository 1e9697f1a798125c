import type { SampleGroup, UnsampledPrompt } from "../../../packages/sdk/src/wire/caches.ts";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import { inputTokens } from "../usage/token-partition.ts";

/** Prompts among usage events that are none of `sampled`, the one with the most input tokens that were not read first. Requests that failed do not count. */
export function unsampledPrompts(events: readonly UsageEvent[], sampled: readonly SampleGroup[]): readonly UnsampledPrompt[] {
  const sampledKeys = new Set(sampled.map(keyOf));
  const sums = new Map<string, { readonly group: SampleGroup; requests: number; read: number; input: number }>();
  for (const event of events) {
    const key = keyOf(event);
    if (event.outcome !== "ok" || sampledKeys.has(key)) continue;
    const { prompt, provider, model } = event;
    const sum = sums.get(key) ?? { group: { prompt, provider, model }, requests: 0, read: 0, input: 0 };
    sums.set(key, sum);
    sum.requests += 1;
    sum.read += event.tokens.read;
    sum.input += inputTokens(event.tokens);
  }
  return [...sums.values()]
    .sort((a, b) => b.input - b.read - (a.input - a.read))
    .map(({ group, requests, read, input }) => ({ ...group, requests, hit: input === 0 ? 0 : read / input }));
}

function keyOf({ prompt, provider, model }: SampleGroup): string {
  return JSON.stringify([prompt, provider, model]);
}
