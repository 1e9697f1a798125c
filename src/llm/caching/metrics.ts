import { type FindingCommentStore, findingStatus } from "../../core/finding.ts";
import { oneUsd } from "../../core/money.ts";
import { gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";
import { type CacheAnalysisStore, findingOf } from "./cache-analysis-store.ts";

/** The metrics of prompt caching. */
export type CachingMetrics = ReturnType<typeof declareCachingMetrics>;

/** Declares the metrics of prompt caching in `registry`. */
export function declareCachingMetrics(registry: MetricRegistry) {
  const labels = ["provider", "model", "prompt"] as const;
  return {
    cacheAchievable: gauge(registry, {
      name: "llm_cache_achievable_ratio",
      help: "Cache read ratio that the prompt could reach with the best layout, from replay.",
      labels,
    }),
    cacheSettled: gauge(registry, {
      name: "llm_cache_finding_settled",
      help: "1 while a person has said that the prompt's finding is acted on, accepted or none; absent otherwise.",
      labels,
    }),
    cacheLost: gauge(registry, {
      name: "llm_cache_lost_usd_per_day",
      help: "What the prompt's layout costs a day beyond the best one that the replay found.",
      labels,
    }),
  };
}

/** Fills the gauges of prompt caching at every scrape from the newest analyses. A prompt without a trustworthy replay has no achievable ratio. */
export function observeCaches(
  metrics: Observing & CachingMetrics & WorkloadLabels,
  cacheAnalysisStore: Pick<CacheAnalysisStore, "list">,
  comments: Pick<FindingCommentStore, "list">,
): void {
  const { label } = metrics;
  const gauges = [metrics.cacheAchievable, metrics.cacheLost, metrics.cacheSettled];
  metrics.observe(gauges, async () => {
    const [states, commentById] = await Promise.all([cacheAnalysisStore.list(), comments.list()]);
    for (const each of gauges) each.reset();
    for (const state of states) {
      const { provider, model, prompt, reply } = state;
      const labels = { provider: label.provider(provider), model: label.model(model), prompt: label.prompt(prompt) };
      const finding = findingOf(state);
      if (finding !== undefined && findingStatus(finding, commentById.get(finding.id)) !== "open") metrics.cacheSettled.set(labels, 1);
      if (reply.kind !== "analysed") continue;
      const { achievableHit, lostPerDay } = reply.analysis;
      if (achievableHit === undefined) continue;
      metrics.cacheAchievable.set(labels, achievableHit);
      metrics.cacheLost.set(labels, lostPerDay / oneUsd);
    }
  });
}
