import { promptCachesSchema } from "../../../packages/sdk/src/wire/caches.ts";
import { viewers } from "../../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, type Route } from "../../platform/http/route.ts";
import type { BudgetLedger } from "../budgets/budget-ledger.ts";
import type { PrefixSampleStore } from "../usage/prefix-samples.ts";
import type { CacheAnalysisStore } from "./cache-analysis-store.ts";
import { unsampledPrompts } from "./unsampled-prompts.ts";

/** What is known about the caching of prompts. */
export interface CacheRouteDeps {
  readonly cacheAnalysisStore: Pick<CacheAnalysisStore, "list">;
  readonly samples: Pick<PrefixSampleStore, "groups">;
  readonly ledger: Pick<BudgetLedger, "recentUsage">;
}

/** How many of the newest requests are searched for prompts without a prefix, and how many such prompts are reported. */
const recentEvents = 5000;
const maxUnsampled = 100;

/** Prompts as their requests were cached. */
export function createCacheRoutes({ cacheAnalysisStore, samples, ledger }: CacheRouteDeps): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/prompt-caches",
      summary: "How each prompt is cached: measured, achievable and predicted hit ratio, causes and what mends them, or what is missing",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: {
        status: 200,
        description:
          "`items` are the newest analyses, one for each prompt and model, by name; `unsampled` are prompts of recent requests that told no prefix",
        schema: promptCachesSchema,
      },
      async handle() {
        const [states, groups, events] = await Promise.all([cacheAnalysisStore.list(), samples.groups(), ledger.recentUsage(recentEvents)]);
        const items = [...states].sort((a, b) => compare(a.prompt, b.prompt) || compare(a.model, b.model));
        return json({ items, unsampled: unsampledPrompts(events, groups).slice(0, maxUnsampled) });
      },
    }),
  ];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
