import { observeRollouts } from "../llm/rollouts/metrics.ts";
import { createRolloutStore } from "../llm/rollouts/redis-store.ts";
import { createRolloutSteering } from "../llm/rollouts/rollout-steering.ts";
import { createRolloutRoutes } from "../llm/rollouts/routes.ts";
import { openModels } from "./open-models.ts";
import { openPrometheus } from "./open-prometheus.ts";
import { openShareControls } from "./open-share-controls.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Rollouts: what they show, and what people order. */
export function registerRollouts(runtime: Runtime, { redis, audit }: Pick<ServerShared, "redis" | "audit">): Registration {
  const { clock, metrics, ids } = runtime;
  const store = createRolloutStore({ redis, clock });
  observeRollouts(metrics, store, clock);
  const models = openModels(runtime, redis);
  const prometheus = openPrometheus(runtime);
  const steering = createRolloutSteering({ store, controls: openShareControls(runtime, redis), models, prometheus, clock });
  return { routes: createRolloutRoutes({ store, steering, audit, clock, newId: () => ids("rollout") }) };
}
