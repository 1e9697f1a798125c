import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { SampleGroup } from "../usage/prefix-samples.ts";
import { inputTokens } from "../usage/token-partition.ts";

/** A prompt on one model of which usage is known and no prefix, so that nobody can say what it could read. */
export interface UnsampledPrompt extends SampleGroup {
  readonly requests: number;
  /** Input tokens read from the cache, of all, 0 to 1; requests whose usage contradicts itself are left out. */
  readonly hit: number;
}

/** Prompts among usage events that are none of `sampled`, the one with the most input tokens that were not read first. Requests that failed do not count. */
export function unsampledPrompts(events: readonly UsageEvent[], sampled: readonly SampleGroup[]): readonly UnsampledPrompt[] {
  const known = new Set(sampled.map(keyOf));
  const sums = new Map<string, { readonly group: SampleGroup; requests: number; read: number; input: number }>();
  for (const event of events) {
    const key = keyOf(event);
    if (event.outcome !== "ok" || known.has(key)) continue;
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
