import { createChangeRoutes } from "../llm/changes/routes.ts";
import { createCostRoutes } from "../llm/cost/routes.ts";
import type { Registration } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Why cost rose, and what was changed when it did. */
export function registerCost({ ledger, prices, changeRecorder }: Runtime): Registration {
  return { routes: [...createChangeRoutes(changeRecorder), ...createCostRoutes({ ledger, prices, changes: changeRecorder.changes })] };
}
