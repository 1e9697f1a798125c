import { analyzePrompt, type CacheAnalyst, cachePricesOf } from "../llm/caching/analyze-prompt.ts";
import type { CacheAnalysisReader } from "../llm/caching/cache-analysis-reader.ts";
import type { CacheAnalysisStore } from "../llm/caching/cache-analysis-store.ts";
import { measuredInputCost } from "../llm/caching/cache-cost.ts";
import { measureVersions } from "../llm/caching/compare-versions.ts";

/** Newest samples of a group that a measurement looks at. */
const maxSamples = 2000;

/** What is known about the caching of prompts, from the samples that applications report. */
export function createCacheAnalysisReader(
  analyst: CacheAnalyst,
  cacheAnalysisStore: Pick<CacheAnalysisStore, "list">,
): CacheAnalysisReader {
  return {
    list: async () => cacheAnalysisStore.list(),
    async analyze(group, signal) {
      const pause = async () => {
        signal.throwIfAborted();
        return analyst.pause();
      };
      return (await analyzePrompt(group, { ...analyst, pause })).reply;
    },
    async measure(group, { from, coldMs }) {
      const prices = cachePricesOf(analyst.prices, group, analyst.clock.now());
      // Without a price nothing can be called cheaper: no comparison of NaN is true.
      const costOf: Parameters<typeof measureVersions>[1]["costOf"] = (measured) =>
        prices === undefined ? Number.NaN : measuredInputCost(measured, prices);
      return measureVersions(await analyst.samples.read(group, maxSamples), { from, coldMs, costOf });
    },
  };
}
