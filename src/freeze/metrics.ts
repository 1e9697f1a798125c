import { gauge, type MetricRegistry } from "../platform/telemetry/declare-metric.ts";
import type { Observing } from "../platform/telemetry/exposition.ts";
import type { FreezeFile } from "./freeze-file.ts";
import type { FreezeStore } from "./redis-store.ts";

/** The metrics of the kill switch. */
export type FreezeMetrics = ReturnType<typeof declareFreezeMetrics>;

/** Declares the metrics of the kill switch in `registry`. */
export function declareFreezeMetrics(registry: MetricRegistry) {
  return { frozen: gauge(registry, { name: "runbookd_frozen", help: "1 while the kill switch is on in any scope." }) };
}

/** Shows at every scrape whether anything is frozen; a freeze by file shows without Redis. */
export function observeFreezes(metrics: Observing & FreezeMetrics, freezes: Pick<FreezeStore, "list">, file: FreezeFile | undefined): void {
  metrics.observe([metrics.frozen], async () => {
    const isFrozen = (await file?.standing()) !== undefined || (await freezes.list()).length > 0;
    metrics.frozen.set(isFrozen ? 1 : 0);
  });
}
