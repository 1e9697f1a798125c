import { dayMs } from "../core/duration.ts";
import { createWorkloadRoutes } from "../llm/budgets/admission-routes.ts";
import { createCorrectionRoutes } from "../llm/budgets/correction-routes.ts";
import { observeBudgets } from "../llm/budgets/metrics.ts";
import { createBudgetRoutes } from "../llm/budgets/routes.ts";
import { createPrefixSampleStore } from "../llm/usage/redis-prefix-samples.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

const endLeasesEveryMs = 5000;

/** Usage, admission and budgets. */
export function registerBudgets(
  { config, ledger, prices, clock, log, metrics, redaction, closers }: Runtime,
  { redis, publish }: Pick<ServerShared, "redis" | "publish">,
): Registration {
  const prefixes = {
    samples: createPrefixSampleStore(redis),
    redact: (text: string) => redaction.apply(text),
    lost: (error: unknown) => log.warn({ error }, "Prefixes of prompts could not be kept; their usage was counted."),
  };
  observeBudgets(metrics, ledger);
  // A store that does not answer is named by its watch; the next pass ends what this one could not.
  const ending = clock.every(endLeasesEveryMs / config.timeFactor, () => void ledger.endExpiredLeases().catch(() => undefined));
  closers.add("expired leases", () => ending.stop());
  const maxAgeMs = config.usageDays * dayMs;
  return {
    routes: [
      ...createWorkloadRoutes({ ledger, prices, publish, prefixes, maxAgeMs, clock }),
      ...createBudgetRoutes({ ledger, clock }),
      ...createCorrectionRoutes({ ledger, publish }),
    ],
  };
}
