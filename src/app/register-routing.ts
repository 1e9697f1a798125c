import { withRouteChanges } from "../llm/changes/change-log.ts";
import { observeRoutes } from "../llm/routing/metrics.ts";
import { createModelRouteStore } from "../llm/routing/redis-store.ts";
import { createModelRoutes } from "../llm/routing/routes.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Which model a ticket gets. */
export function registerRouting(
  { clock, metrics, changeNotes }: Runtime,
  { redis, audit }: Pick<ServerShared, "redis" | "audit">,
): Registration {
  const routes = withRouteChanges(createModelRouteStore({ redis, clock }), changeNotes);
  observeRoutes(metrics, routes);
  return { routes: createModelRoutes({ routes, audit, clock }) };
}
