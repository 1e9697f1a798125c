import { analysePrompt, type CacheAnalyst, cachePricesOf } from "../llm/caching/analyse-prompt.ts";
import type { CacheBoard } from "../llm/caching/cache-board.ts";
import { measuredInputCost } from "../llm/caching/cache-cost.ts";
import type { CacheSight } from "../llm/caching/cache-sight.ts";
import { measureVersions } from "../llm/caching/compare-versions.ts";

/** Newest samples of a group that a measurement looks at. */
const mostSamples = 2000;

/** What is known about the caching of prompts, from the samples that applications report. */
export function createCacheSight(analyst: CacheAnalyst, board: Pick<CacheBoard, "list">): CacheSight {
  return {
    list: async () => board.list(),
    async analyse(group, signal) {
      const pause = async () => {
        signal.throwIfAborted();
        return analyst.pause();
      };
      return (await analysePrompt(group, { ...analyst, pause })).reply;
    },
    async measure(group, { from, coldMs }) {
      const prices = cachePricesOf(analyst.prices, group, analyst.clock.now());
      // Without a price nothing can be called cheaper: no comparison of NaN is true.
      const costOf: Parameters<typeof measureVersions>[1]["costOf"] = (measured) =>
        prices === undefined ? Number.NaN : measuredInputCost(measured, prices);
      return measureVersions(await analyst.samples.read(group, mostSamples), { from, coldMs, costOf });
    },
  };
}
