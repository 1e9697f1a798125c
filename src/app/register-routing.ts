import { withRouteChanges } from "../llm/changes/change-log.ts";
import { observeModels } from "../llm/models/metrics.ts";
import { createRolloutStore } from "../llm/rollouts/redis-store.ts";
import { observeFollowers, observeRoutes } from "../llm/routing/metrics.ts";
import { createModelRoutingStore } from "../llm/routing/redis-store.ts";
import { createRoutingRoutes } from "../llm/routing/routes.ts";
import { openFollowers } from "./open-followers.ts";
import { describeRouted, openModels } from "./open-models.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Which model a ticket gets. */
export function registerRouting(runtime: Runtime, { redis, audit }: Pick<ServerShared, "redis" | "audit">): Registration {
  const { clock, metrics, changeRecorder } = runtime;
  const routes = withRouteChanges(createModelRoutingStore({ redis, clock }), changeRecorder);
  observeRoutes(metrics, routes);
  const followers = openFollowers(runtime, redis);
  observeFollowers(metrics, { routes, followers, clock });
  const models = openModels(runtime, redis);
  observeModels(metrics, async () => describeRouted(models, await routes.list()));
  const rollouts = createRolloutStore({ redis, clock });
  return {
    routes: createRoutingRoutes({
      routes,
      followers,
      models: async (listed) => describeRouted(models, listed),
      audit,
      clock,
      liveRollout: async (target) => rollouts.liveOf(target),
    }),
  };
}
