import type { Metrics } from "../../../platform/telemetry/metrics.ts";
import { openStates, type ProviderBatchStore } from "./open-provider-batch.ts";

/** Fills the gauges of provider batches at every scrape from where they are kept. A provider that nothing was ever sent to has none. */
export function observeProviderBatches(metrics: Metrics, store: Pick<ProviderBatchStore, "list" | "closed" | "deltas">): void {
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
