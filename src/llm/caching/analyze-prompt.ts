import type { CacheAnalysisResult, CacheState, SampleGroup } from "../../../packages/sdk/src/wire/caches.ts";
import type { MissReason } from "../../../packages/sdk/src/wire/prefix.ts";
import type { Clock } from "../../core/clock.ts";
import type { PrefixSample } from "../../core/prefix-sample.ts";
import type { PrefixSampleStore } from "../usage/prefix-samples.ts";
import type { PriceTable } from "../usage/price-table.ts";
import { analyzePromptCache } from "./analyze-prompt-cache.ts";
import type { CachePrices } from "./cache-cost.ts";
import { cacheRulesOf } from "./cache-rules.ts";

/** What an analysis of a prompt's samples needs. */
export interface CacheAnalyst {
  readonly samples: Pick<PrefixSampleStore, "read">;
  readonly prices: PriceTable;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  /** Divides lifetimes and the time that samples must span, as a demonstration does. */
  readonly timeFactor: number;
  /** Lets others work; called every few milliseconds of an analysis. */
  readonly pause: () => Promise<unknown>;
}

/** Samples of one group that are looked at, fewer when conversations are long: a stage of an analysis keeps others waiting for a microsecond or two a block. */
const maxSamples = 2000;
const maxBlocks = 60_000;
/** More samples change the result little. */
const sufficientSamples = 250;
/** Yield to the event loop after this long. */
const sliceMs = 8;

/** Analyses one prompt on one model, by its samples of the version that most of them have. Rejects with StoreUnavailable when the samples cannot be read. */
export async function analyzePrompt(group: SampleGroup, analyst: CacheAnalyst): Promise<CacheState> {
  const { clock, timeFactor, prices } = analyst;
  const samples = await analyst.samples.read(group, maxSamples);
  const versions = measureVersions(samples);
  const [version = null] = [...versions].sort((a, b) => b.requests - a.requests).map((selected) => selected.version);
  const selected = newestOf(samples.filter(({ promptVersion = null }) => promptVersion === version));
  const now = clock.now();
  const steps = analyzePromptCache({
    samples: selected,
    rules: cacheRulesOf(group.provider, group.model, timeFactor),
    prices: cachePricesOf(prices, group, now),
    timeFactor,
  });
  return {
    prompt: group.prompt,
    provider: group.provider,
    model: group.model,
    at: now,
    newestAt: Math.max(0, ...samples.map(({ at }) => at)),
    ...(version === null ? {} : { version }),
    versions,
    misses: countMisses(samples),
    reply: await runInSlices(steps, analyst),
  };
}

/** The part of a price row that caching is about; undefined without a price for input or reads. */
export function cachePricesOf(
  prices: PriceTable,
  { provider, model }: Pick<SampleGroup, "provider" | "model">,
  at: number,
): CachePrices | undefined {
  const row = prices.find(provider, model, at);
  if (row?.cacheRead === undefined) return undefined;
  const { "5m": m5, "30m": m30, "1h": h1, "12h": h12 } = row.cacheWrite;
  return {
    input: row.input,
    read: row.cacheRead,
    write: {
      ...(m5 === undefined ? {} : { "5m": m5 }),
      ...(m30 === undefined ? {} : { "30m": m30 }),
      ...(h1 === undefined ? {} : { "1h": h1 }),
      ...(h12 === undefined ? {} : { "12h": h12 }),
    },
  };
}

async function runInSlices(steps: Generator<void, CacheAnalysisResult>, { clock, pause }: CacheAnalyst): Promise<CacheAnalysisResult> {
  let begin = clock.monotonic();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.monotonic() - begin < sliceMs) continue;
    await pause();
    begin = clock.monotonic();
  }
}

function newestOf(samples: readonly PrefixSample[]): readonly PrefixSample[] {
  let blocks = 0;
  const first = samples.findLastIndex((sample, index) => {
    blocks += sample.blocks.length;
    return blocks > maxBlocks && samples.length - index > sufficientSamples;
  });
  return samples.slice(first + 1);
}

function measureVersions(samples: readonly PrefixSample[]): CacheState["versions"] {
  const sums = new Map<string | null, { requests: number; read: number; total: number }>();
  for (const { promptVersion = null, measured } of samples) {
    const sum = sums.get(promptVersion) ?? { requests: 0, read: 0, total: 0 };
    sums.set(promptVersion, sum);
    sum.requests += 1;
    if (measured === undefined) continue;
    const { uncached, read, write5m, write30m, write1h, write12h } = measured;
    sum.read += read;
    sum.total += uncached + read + write5m + write30m + write1h + write12h;
  }
  return [...sums].map(([version, { requests, read, total }]) => ({ version, requests, hit: total === 0 ? 0 : read / total }));
}

function countMisses(samples: readonly PrefixSample[]): CacheState["misses"] {
  const counts = new Map<MissReason, { requests: number; missedTokens: number }>();
  for (const { miss } of samples) {
    if (miss === undefined) continue;
    const count = counts.get(miss.reason) ?? { requests: 0, missedTokens: 0 };
    counts.set(miss.reason, { requests: count.requests + 1, missedTokens: count.missedTokens + (miss.missedTokens ?? 0) });
  }
  return [...counts]
    .map(([reason, count]) => ({ reason, ...count }))
    .sort((a, b) => b.missedTokens - a.missedTokens || b.requests - a.requests);
}
