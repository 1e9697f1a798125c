import { observeAttackReplays } from "../llm/attacks/metrics.ts";
import { createAttackReplayStore } from "../llm/attacks/redis-attack-replays.ts";
import { createEvidenceRoutes } from "../llm/features/evidence-routes.ts";
import { observeFeatures } from "../llm/features/metrics.ts";
import { createEvidenceStore } from "../llm/features/redis-evidence.ts";
import { openAllFlagSwitches } from "./open-features.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Which features are off, whether recorded attacks work on them, and what was kept of their incidents. */
export function registerFeatures(runtime: Runtime, { redis }: Pick<ServerShared, "redis">): Registration {
  const { config, clock, metrics } = runtime;
  observeAttackReplays(metrics, createAttackReplayStore(redis), config.features);
  observeFeatures(metrics, { features: config.features, flagSwitches: openAllFlagSwitches(runtime, redis) }, clock);
  return { routes: createEvidenceRoutes(createEvidenceStore(redis)) };
}
