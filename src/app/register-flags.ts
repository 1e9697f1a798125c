import { countEvaluation, observeFlags } from "../llm/flags/metrics.ts";
import { createOfrepRoutes } from "../llm/flags/ofrep-routes.ts";
import { createFlagRoutes } from "../llm/flags/routes.ts";
import { createRolloutStore } from "../llm/rollouts/redis-store.ts";
import { openFlags } from "./open-flags.ts";
import { openFollowers } from "./open-followers.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Which features are on. */
export function registerFlags(runtime: Runtime, { redis, audit }: Pick<ServerShared, "redis" | "audit">): Registration {
  const { clock, metrics } = runtime;
  const flags = openFlags(runtime, redis);
  const followers = openFollowers(runtime, redis);
  const rollouts = createRolloutStore({ redis, clock });
  observeFlags(metrics, { flags, followers });
  return {
    routes: [
      ...createFlagRoutes({ flags, followers, audit, clock, liveRollout: async (target) => rollouts.liveOf(target) }),
      ...createOfrepRoutes({ flags, followers, evaluated: (key, variant) => countEvaluation(metrics, key, variant) }),
    ],
  };
}
