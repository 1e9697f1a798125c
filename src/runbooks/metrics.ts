import { gauge, type MetricRegistry } from "../platform/telemetry/declare-metric.ts";
import type { Observing } from "../platform/telemetry/exposition.ts";
import { isBroken, type RunbookFolder } from "./runbook-folder.ts";

/** The metrics of the runbook folder. */
export type RunbookMetrics = ReturnType<typeof declareRunbookMetrics>;

/** Declares the metrics of the runbook folder in `registry`. */
export function declareRunbookMetrics(registry: MetricRegistry) {
  return {
    brokenRunbooks: gauge(registry, {
      name: "runbookd_broken_runbooks",
      help: "Runbook files whose newest bytes are not in force; their last good version, if any, stays.",
    }),
  };
}

/** Counts the files whose newest bytes are not in force, at every scrape. */
export function observeRunbooks(metrics: Observing & RunbookMetrics, library: Pick<RunbookFolder, "list">): void {
  metrics.observe([metrics.brokenRunbooks], async () => metrics.brokenRunbooks.set(library.list().filter(isBroken).length));
}
