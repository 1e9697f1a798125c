import type { ModelRef } from "../../../packages/sdk/src/wire/routing.ts";
import { gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";
import type { ModelRoutingStore } from "./model-route.ts";

/** The metrics of model routes. */
export type RoutingMetrics = ReturnType<typeof declareRoutingMetrics>;

/** Declares the metrics of model routes in `registry`. */
export function declareRoutingMetrics(registry: MetricRegistry) {
  return {
    routeWeight: gauge(registry, {
      name: "llm_route_weight_ratio",
      help: "Share of new tickets that the route gives to the model.",
      labels: ["rule", "provider", "model", "variant"],
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
      const labelsOf = ({ provider, model }: ModelRef) => ({ rule, provider: label.provider(provider), model: label.model(model) });
      metrics.routeWeight.set({ ...labelsOf(baseline), variant: "baseline" }, 1 - share);
      if (candidate !== null) metrics.routeWeight.set({ ...labelsOf(candidate), variant: "canary" }, share);
    }
  });
}
