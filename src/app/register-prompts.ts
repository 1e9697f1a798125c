import { observeCaches } from "../llm/caching/metrics.ts";
import { createCacheAnalysisStore } from "../llm/caching/redis-store.ts";
import { createCacheRoutes } from "../llm/caching/routes.ts";
import { createFindingCommentStore } from "../llm/findings/redis-store.ts";
import { createHoneytokenStore } from "../llm/prompts/redis-honeytokens.ts";
import { createPromptRolloutStore } from "../llm/prompts/redis-store.ts";
import { createPromptRoutes } from "../llm/prompts/routes.ts";
import { createRolloutStore } from "../llm/rollouts/redis-store.ts";
import { createPrefixSampleStore } from "../llm/usage/redis-prefix-samples.ts";
import { openFollowers } from "./open-followers.ts";
import { openPrompts } from "./open-prompts.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Prompts and their caching. */
export function registerPrompts(runtime: Runtime, { redis, audit }: Pick<ServerShared, "redis" | "audit">): Registration {
  const { ledger, clock, random, metrics } = runtime;
  const caches = createCacheAnalysisStore(redis);
  const live = createRolloutStore({ redis, clock });
  const samples = createPrefixSampleStore(redis);
  observeCaches(metrics, caches, createFindingCommentStore(redis));
  return {
    routes: [
      ...createPromptRoutes({
        prompts: openPrompts(runtime, redis),
        rollouts: createPromptRolloutStore(redis),
        honeytokens: createHoneytokenStore(redis, random),
        followers: openFollowers(runtime, redis),
        liveRollout: async (target) => live.liveOf(target),
        audit,
        clock,
        caches,
      }),
      ...createCacheRoutes({ cacheAnalysisStore: caches, samples, ledger }),
    ],
  };
}
