import type { ModelCatalog } from "./model-catalog.ts";
import type { RouteHistory, RouteReader } from "./route-history.ts";

/** What the actions that check or evaluate a candidate for a route read. */
export interface CandidatePorts {
  readonly routes: RouteReader;
  readonly models: ModelCatalog;
  readonly history: RouteHistory;
}
