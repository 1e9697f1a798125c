import type { Metrics } from "../../platform/telemetry/metrics.ts";
import type { ModelRouteStore } from "./model-route.ts";

/** Fills the gauge of the routes' weights at every scrape. */
export function observeRoutes(metrics: Metrics, routes: Pick<ModelRouteStore, "list">): void {
  const { label } = metrics;
  metrics.observe([metrics.routeWeight], async () => {
    const all = await routes.list();
    metrics.routeWeight.reset();
    for (const { id, baseline, candidate } of all) {
      const rule = label.prompt(id);
      const share = candidate?.share ?? 0;
      metrics.routeWeight.set({ rule, model: label.model(baseline.model), variant: "baseline" }, 1 - share);
      if (candidate !== null) metrics.routeWeight.set({ rule, model: label.model(candidate.model), variant: "canary" }, share);
    }
  });
}
