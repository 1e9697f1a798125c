import { gauge, type MetricRegistry } from "../telemetry/declare-metric.ts";
import type { Observing } from "../telemetry/exposition.ts";
import type { StoreWatch } from "./store-watch.ts";

/** The metrics of the store itself. */
export type StoreMetrics = ReturnType<typeof declareStoreMetrics>;

/** Declares the metrics of the store in `registry`. */
export function declareStoreMetrics(registry: MetricRegistry) {
  return {
    storeFit: gauge(registry, {
      name: "runbookd_store_fit",
      help: "1 while Redis has the settings that keep what is accepted; 0 while it has not, or was not judged: then nothing is accepted or claimed.",
    }),
    storeMemory: gauge(registry, {
      name: "runbookd_store_memory_ratio",
      help: "Used memory of Redis as a share of its maxmemory; 0 without a limit.",
    }),
  };
}

/** Shows at every scrape what the last judgement was; Redis is not asked for it. */
export function observeStore(metrics: Observing & StoreMetrics, store: Pick<StoreWatch, "isFit" | "memoryShare">): void {
  metrics.observe([metrics.storeFit], async () => metrics.storeFit.set(store.isFit() ? 1 : 0));
  metrics.observe([metrics.storeMemory], async () => {
    const share = store.memoryShare();
    if (share !== undefined) metrics.storeMemory.set(share);
  });
}
