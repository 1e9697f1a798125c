import type { ModelRef } from "../../packages/sdk/src/wire/routing.ts";
import { dayMs } from "../../src/core/duration.ts";
import type { ModelTableSource } from "../../src/llm/models/model-table.ts";
import type { PriceTableSource } from "../../src/llm/usage/price-table.ts";
import type { ServedModel } from "../simulators/model-server/model-catalogue.ts";

const provider = "anthropic";
const oldPrice = { inputPerMillion: 3_000_000, outputPerMillion: 15_000_000 } as const;
const limits = { minCacheableTokens: 1024, contextTokens: 200_000, maxOutputTokens: 64_000, bytesPerToken: 3.6 } as const;
/** The old model is retired so soon, and was deprecated so long ago; divided by the demo's factor. */
const retiresInMs = 20 * dayMs;
const deprecatedForMs = 40 * dayMs;

/** The model that is left, the candidate that its provider recommends, and a better one. */
export const demoRefs = {
  old: { provider, model: "old" },
  bad: { provider, model: "bad" },
  good: { provider, model: "good" },
} as const satisfies { readonly [name: string]: ModelRef };

/** The models as they are served. Both candidates cost less than the old model; `good` costs half. */
export function migrationModels(now: number, factor: number): readonly ServedModel[] {
  const retirement = { deprecatedAt: now - deprecatedForMs / factor, retiresAt: now + retiresInMs / factor };
  return [
    { id: demoRefs.old.model, ...oldPrice, ...limits, retirement },
    { id: demoRefs.bad.model, inputPerMillion: 1_800_000, outputPerMillion: 9_000_000, ...limits },
    { id: demoRefs.good.model, inputPerMillion: 1_500_000, outputPerMillion: 7_500_000, ...limits },
  ];
}

/** The same prices as runbookd reads them. */
export function migrationPrices(models: readonly ServedModel[]): PriceTableSource {
  return models.map(({ id, inputPerMillion, outputPerMillion }) => ({
    provider,
    model: id,
    from: "2026-01-01",
    input: inputPerMillion,
    output: outputPerMillion,
  }));
}

/** What the provider recommends in the old model's place; its list of models does not say so. */
export function migrationTable(now: number): ModelTableSource {
  const asOf = new Date(now - dayMs).toISOString().slice(0, 10);
  return [{ provider, model: demoRefs.old.model, replacement: demoRefs.bad, source: "the provider's page of deprecations", asOf }];
}

/** What a process of the application logs when it is up: the route, and with it the alert, comes afterwards, so that the evaluator is there when it is asked. */
export const waitsForRoute = "It waits for the route.";
