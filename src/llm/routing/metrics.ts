import type { ModelRef } from "../../../packages/sdk/src/wire/routing.ts";
import type { Clock } from "../../core/clock.ts";
import { gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import type { FollowerBook } from "../rollouts/followers.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";
import { type ModelRoutingStore, routeDocument, servedRoute } from "./model-route.ts";

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
    routeFollowers: gauge(registry, {
      name: "llm_route_followers",
      help: "Processes that asked for the route within the last minute; current ones had its newest version.",
      labels: ["route", "state"],
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

/** Fills the gauge of the routes' followers at every scrape; a route that no process follows shows zeros. */
export function observeFollowers(
  metrics: Observing & RoutingMetrics & WorkloadLabels,
  {
    routes,
    followers,
    clock,
  }: {
    readonly routes: Pick<ModelRoutingStore, "list">;
    readonly followers: Pick<FollowerBook, "count">;
    readonly clock: Pick<Clock, "now">;
  },
): void {
  metrics.observe([metrics.routeFollowers], async () => {
    const now = clock.now();
    const all = await Promise.all(
      (await routes.list()).map(async (route) => ({
        route: metrics.label.prompt(route.id),
        counts: await followers.count(routeDocument(route.id), servedRoute(route, now).tag),
      })),
    );
    metrics.routeFollowers.reset();
    for (const { route, counts } of all) {
      metrics.routeFollowers.inc({ route, state: "current" }, counts.current);
      metrics.routeFollowers.inc({ route, state: "stale" }, counts.followers - counts.current);
    }
  });
}
