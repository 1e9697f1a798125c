import type { ModelDescription } from "../../../packages/sdk/src/wire/models.ts";
import type { ModelRef } from "../../../packages/sdk/src/wire/routing.ts";

/** What is known of models. Both members reject with StoreUnavailable when the store does not answer. */
export interface ModelCatalog {
  /** One answer per model, in order; of one without a source it is `unknown`. */
  describe(models: readonly ModelRef[]): Promise<readonly ModelDescription[]>;
  /** Every model that a list or the table names. */
  all(): Promise<readonly ModelDescription[]>;
}
