import { createCacheFindings } from "../llm/caching/cache-analysis-store.ts";
import { createCacheAnalysisStore } from "../llm/caching/redis-store.ts";
import { observeSecurityFindings } from "../llm/findings/metrics.ts";
import { createFindingCommentStore } from "../llm/findings/redis-store.ts";
import { createFindingRoutes } from "../llm/findings/routes.ts";
import { createUnreadableFindings } from "../llm/usage/unreadable-findings.ts";
import { openFindingIntake, openSecurityFindings } from "./open-security-findings.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Findings of every kind, and what people say of them. */
export function registerFindings(runtime: Runtime, { redis, audit }: Pick<ServerShared, "redis" | "audit">): Registration {
  const { clock, metrics } = runtime;
  const { features } = runtime.config;
  const store = openSecurityFindings(runtime, redis);
  observeSecurityFindings(metrics, store, features);
  return {
    routes: createFindingRoutes({
      otherSources: [
        createCacheFindings(createCacheAnalysisStore(redis)),
        createUnreadableFindings(async (limit) => runtime.ledger.recentUsage(limit)),
      ],
      store,
      intake: openFindingIntake(runtime, redis),
      comments: createFindingCommentStore(redis),
      audit,
      clock,
    }),
  };
}
