import { type FindingNotes, findingStatus } from "../../core/finding.ts";
import { oneUsd } from "../../core/money.ts";
import type { Metrics } from "../../platform/telemetry/metrics.ts";
import { type CacheBoard, findingOf } from "./cache-board.ts";

/** Fills the gauges of prompt caching at every scrape from the newest analyses. A prompt without a trustworthy replay has no achievable ratio. */
export function observeCaches(metrics: Metrics, board: Pick<CacheBoard, "list">, notes: Pick<FindingNotes, "list">): void {
  const { label } = metrics;
  metrics.observe([metrics.cacheAchievable, metrics.cacheLost, metrics.cacheSettled], async () => {
    const [states, noted] = await Promise.all([board.list(), notes.list()]);
    for (const gauge of [metrics.cacheAchievable, metrics.cacheLost, metrics.cacheSettled]) gauge.reset();
    for (const state of states) {
      const { provider, model, prompt, reply } = state;
      const labels = { provider: label.provider(provider), model: label.model(model), prompt: label.prompt(prompt) };
      const finding = findingOf(state);
      if (finding !== undefined && findingStatus(finding, noted.get(finding.id)) !== "open") metrics.cacheSettled.set(labels, 1);
      if (reply.kind !== "analysed") continue;
      const { achievableHit, lostPerDay } = reply.analysis;
      if (achievableHit === undefined) continue;
      metrics.cacheAchievable.set(labels, achievableHit);
      metrics.cacheLost.set(labels, lostPerDay / oneUsd);
    }
  });
}
