import { gauge, type MetricRegistry } from "../../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../../platform/telemetry/exposition.ts";
import type { WorkloadLabels } from "../../usage/metrics.ts";
import { openStates, type ProviderBatchStore } from "./open-provider-batch.ts";

/** The metrics of batches at providers. */
export type ProviderBatchMetrics = ReturnType<typeof declareProviderBatchMetrics>;

/** Declares the metrics of batches at providers in `registry`. */
export function declareProviderBatchMetrics(registry: MetricRegistry) {
  return {
    providerBatchRequests: gauge(registry, {
      name: "llm_provider_batch_requests",
      help: "Requests of submissions to a provider's batch interface that are not settled, by state of the submission.",
      labels: ["provider", "state"],
    }),
    providerBatchOldest: gauge(registry, {
      name: "llm_provider_batch_oldest_unreconciled_timestamp_seconds",
      help: "When the provider batch ended whose results wait longest; 0 when none waits.",
      labels: ["provider"],
    }),
    providerDelta: gauge(registry, {
      name: "llm_provider_reconciliation_delta_ratio",
      help: "Our count of the cost of batches against the provider's, as a share of the provider's; absent when the provider shows none.",
      labels: ["provider"],
    }),
  };
}

/** Fills the gauges of provider batches at every scrape from where they are kept. A provider that nothing was ever sent to has none. */
export function observeProviderBatches(
  metrics: Observing & ProviderBatchMetrics & WorkloadLabels,
  store: Pick<ProviderBatchStore, "list" | "closed" | "deltas">,
): void {
  const { label } = metrics;
  metrics.observe([metrics.providerBatchRequests, metrics.providerBatchOldest], async () => {
    const [open, closed] = await Promise.all([store.list(), store.closed()]);
    metrics.providerBatchRequests.reset();
    metrics.providerBatchOldest.reset();
    for (const provider of new Set([...open, ...closed].map((batch) => batch.provider))) {
      const mine = open.filter((batch) => batch.provider === provider);
      const labels = { provider: label.provider(provider) };
      for (const state of openStates) {
        const items = mine.filter((batch) => batch.state === state).reduce((sum, batch) => sum + batch.items.length, 0);
        metrics.providerBatchRequests.inc({ ...labels, state }, items);
      }
      const ended = mine.flatMap(({ endedAt }) => (endedAt === undefined ? [] : [endedAt]));
      metrics.providerBatchOldest.set(labels, ended.length === 0 ? 0 : Math.min(...ended) / 1000);
    }
  });
  metrics.observe([metrics.providerDelta], async () => {
    const deltas = await store.deltas();
    metrics.providerDelta.reset();
    for (const { provider, deltaRatio } of deltas)
      if (deltaRatio !== undefined) metrics.providerDelta.set({ provider: label.provider(provider) }, deltaRatio);
  });
}
