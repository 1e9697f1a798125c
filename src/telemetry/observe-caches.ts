import type { CacheBoard } from "../analysis/cache-board.ts";
import { oneUsd } from "../core/money.ts";
import type { Metrics } from "./metrics.ts";

/** Fills the gauges of prompt caching at every scrape from the newest analyses. A prompt without a trustworthy replay has no achievable ratio. */
export function observeCaches(metrics: Metrics, board: Pick<CacheBoard, "list">): void {
  const { label } = metrics;
  metrics.observe([metrics.cacheAchievable, metrics.cacheLost], async () => {
    const states = await board.list();
    metrics.cacheAchievable.reset();
    metrics.cacheLost.reset();
    for (const { provider, model, prompt, reply } of states) {
      if (reply.kind !== "analysed") continue;
      const { achievableHit, lostPerDay } = reply.analysis;
      if (achievableHit === undefined) continue;
      const labels = { provider: label.provider(provider), model: label.model(model), prompt: label.prompt(prompt) };
      metrics.cacheAchievable.set(labels, achievableHit);
      metrics.cacheLost.set(labels, lostPerDay / oneUsd);
    }
  });
}
