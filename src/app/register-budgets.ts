import { createWorkloadRoutes } from "../llm/budgets/admission-routes.ts";
import { observeBudgets } from "../llm/budgets/metrics.ts";
import { createBudgetRoutes } from "../llm/budgets/routes.ts";
import { createPrefixSampleStore } from "../llm/usage/redis-prefix-samples.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Usage, admission and budgets. */
export function registerBudgets(
  { ledger, prices, clock, log, metrics, redaction }: Runtime,
  { redis, publish }: Pick<ServerShared, "redis" | "publish">,
): Registration {
  const prefixes = {
    samples: createPrefixSampleStore(redis),
    redact: (text: string) => redaction.apply(text),
    lost: (error: unknown) => log.warn({ error }, "Prefixes of prompts could not be kept; their usage was counted."),
  };
  observeBudgets(metrics, ledger);
  return { routes: [...createWorkloadRoutes({ ledger, prices, publish, prefixes, clock }), ...createBudgetRoutes({ ledger, clock })] };
}
