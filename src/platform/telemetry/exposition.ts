import { type Counter, collectDefaultMetrics, type Gauge, Registry } from "prom-client";
import { type Clock, createSystemClock, within } from "../../core/clock.ts";
import { gauge, type MetricRegistry } from "./declare-metric.ts";

/** A gauge, or a counter whose value is kept elsewhere. */
type Observed = Gauge | Counter;

/** Reads metrics freshly at every scrape. */
export interface Observing {
  /**
   * `fill` sets `gauges`. When it rejects or takes longer than 2 s they are absent from that scrape:
   * what cannot be seen is not shown as its last value.
   */
  observe(gauges: readonly Observed[], fill: () => Promise<void>): void;
}

/** What a scrape gets: a registry that every slice declares its metrics in, and the gauges that are read when it is asked. */
export interface Exposition extends Observing {
  readonly registry: MetricRegistry;
  readonly buildInfo: Gauge<"version" | "node">;
  /** Content type of what `metrics` answers. */
  readonly contentType: string;
  /** The answer to a scrape, in Prometheus's text format. Serve this and not the registry, which knows nothing of observed gauges. */
  metrics(): Promise<string>;
}

/** What an exposition adds to the registered metrics. */
export interface ExpositionOptions {
  /** Becomes `runbookd_build_info`. */
  readonly version?: string;
  /** Adds the metrics of the Node process. */
  readonly runtime?: boolean;
  readonly clock?: Clock;
}

/** How long one observer may take before its gauges count as unknown. */
const observerLimitMs = 2000;

/** An exposition with a registry of its own, and the build's metric in it. */
export function createExposition({ version = "0.0.0", runtime = false, clock = createSystemClock() }: ExpositionOptions = {}): Exposition {
  const registry = new Registry();
  const buildInfo = gauge(registry, {
    name: "runbookd_build_info",
    help: "Always 1; the labels name the build.",
    labels: ["version", "node"],
  });
  buildInfo.set({ version, node: process.versions.node }, 1);
  if (runtime) collectDefaultMetrics({ register: registry });
  const observers: { readonly gauges: readonly Observed[]; readonly fill: () => Promise<void> }[] = [];
  return {
    registry,
    buildInfo,
    observe: (gauges, fill) => void observers.push({ gauges, fill }),
    contentType: registry.contentType,
    async metrics() {
      await Promise.all(
        observers.map(async ({ gauges, fill }) => {
          if (!(await succeeds(fill, clock))) gauges.forEach((observed) => forget(observed));
        }),
      );
      return registry.metrics();
    },
  };
}

/** Names of all series that the registry can export, histograms with their suffixes. */
export function seriesNames(registry: MetricRegistry): readonly string[] {
  return registry.getMetricsAsArray().flatMap((metric) => {
    // At run time the type is a word; prom-client's declaration calls it a number.
    const type = String(metric.type);
    return type === "histogram" ? [`${metric.name}_bucket`, `${metric.name}_sum`, `${metric.name}_count`] : [metric.name];
  });
}

function forget(observed: Observed): void {
  observed.reset();
  // A gauge without labels falls back to 0; removing that series makes it absent.
  observed.remove({});
}

async function succeeds(fill: () => Promise<void>, clock: Clock): Promise<boolean> {
  return within(clock, observerLimitMs, fill()).then(
    () => true,
    () => false,
  );
}
