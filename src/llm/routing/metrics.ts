import { gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";
import type { ModelRoutingStore } from "./model-route.ts";

/** The metrics of model routes. */
export type RoutingMetrics = ReturnType<typeof declareRoutingMetrics>;

/** Declares the metrics of model routes in `registry`. */
export function declareRoutingMetrics(registry: MetricRegistry) {
  return {
    modelRetirement: gauge(registry, {
      name: "llm_model_retirement_timestamp_seconds",
      help: "When the provider retires the model.",
      labels: ["provider", "model"],
    }),
    routeWeight: gauge(registry, {
      name: "llm_route_weight_ratio",
      help: "Share of new tickets that the route gives to the model.",
      labels: ["rule", "model", "variant"],
    }),
  };
}

/** Fills the gauge of the routes' weights at every scrape. */
export function observeRoutes(metrics: Observing & RoutingMetrics & WorkloadLabels, routes: Pick<ModelRoutingStore, "list">): void {
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
