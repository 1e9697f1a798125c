import { withRouteChanges } from "../llm/changes/change-log.ts";
import { observeRoutes } from "../llm/routing/metrics.ts";
import { createModelRoutingStore } from "../llm/routing/redis-store.ts";
import { createRoutingRoutes } from "../llm/routing/routes.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Which model a ticket gets. */
export function registerRouting(
  { clock, metrics, changeRecorder }: Runtime,
  { redis, audit }: Pick<ServerShared, "redis" | "audit">,
): Registration {
  const routes = withRouteChanges(createModelRoutingStore({ redis, clock }), changeRecorder);
  observeRoutes(metrics, routes);
  return { routes: createRoutingRoutes({ routes, audit, clock }) };
}
