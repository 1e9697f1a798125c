import { createFeatureReports } from "../llm/features/feature-reports.ts";
import { createFeatureRequestRoutes } from "../llm/features/feature-request-routes.ts";
import { countFeatureRequests } from "../llm/features/metrics.ts";
import type { Registration } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** How many requests of each feature the applications serve and refuse. */
export function registerFeatureRequests({ metrics }: Pick<Runtime, "metrics">): Registration {
  return {
    routes: createFeatureRequestRoutes({ reports: createFeatureReports(), count: (counts) => countFeatureRequests(metrics, counts) }),
  };
}
