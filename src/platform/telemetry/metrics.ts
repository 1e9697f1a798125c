import { collectDefaultMetrics, type Gauge, Registry } from "prom-client";
import { type Clock, createSystemClock, within } from "../../core/clock.ts";
import { declareOwnMetrics } from "./own-metrics.ts";
import { declareWorkloadMetrics } from "./workload-metrics.ts";

/** Every metric, declared once, in a registry of its own. */
export type Metrics = ReturnType<typeof createMetrics>;

/** How long one observer may take before its gauges count as unknown. */
const observerLimitMs = 2000;

/**
 * Declares every metric in `registry`; all label values that are known in advance exist at zero.
 * `version` becomes `runbookd_build_info`; `runtime` adds the metrics of the Node process.
 */
export function createMetrics({
  registry = new Registry(),
  version = "0.0.0",
  runtime = false,
  clock = createSystemClock(),
}: {
  readonly registry?: Registry;
  readonly version?: string;
  readonly runtime?: boolean;
  readonly clock?: Clock;
} = {}) {
  const own = declareOwnMetrics(registry);
  const workload = declareWorkloadMetrics(registry);
  own.buildInfo.set({ version, node: process.versions.node }, 1);
  if (runtime) collectDefaultMetrics({ register: registry });
  const observers: { readonly gauges: readonly Gauge[]; readonly fill: () => Promise<void> }[] = [];

  return {
    registry,
    ...own,
    ...workload,
    /**
     * Reads `gauges` freshly at every scrape. When `fill` rejects or takes longer than 2 s they are absent from that scrape:
     * what cannot be seen is not shown as its last value.
     */
    observe(gauges: readonly Gauge[], fill: () => Promise<void>): void {
      observers.push({ gauges, fill });
    },
    /** Content type of what `metrics` answers. */
    contentType: registry.contentType,
    /** The answer to a scrape, in Prometheus's text format. Serve this and not the registry, which knows nothing of observers. */
    async metrics(): Promise<string> {
      await Promise.all(
        observers.map(async ({ gauges, fill }) => {
          if (!(await succeeds(fill, clock))) gauges.forEach((gauge) => forget(gauge));
        }),
      );
      return registry.metrics();
    },
  };
}

/** Names of all series that the registry can export, histograms with their suffixes. */
export function seriesNames(registry: Registry): readonly string[] {
  return registry.getMetricsAsArray().flatMap((metric) => {
    // At run time the type is a word; prom-client's declaration calls it a number.
    const type = String(metric.type);
    return type === "histogram" ? [`${metric.name}_bucket`, `${metric.name}_sum`, `${metric.name}_count`] : [metric.name];
  });
}

function forget(gauge: Gauge): void {
  gauge.reset();
  // A gauge without labels falls back to 0; removing that series makes it absent.
  gauge.remove({});
}

async function succeeds(fill: () => Promise<void>, clock: Clock): Promise<boolean> {
  return within(clock, observerLimitMs, fill()).then(
    () => true,
    () => false,
  );
}
