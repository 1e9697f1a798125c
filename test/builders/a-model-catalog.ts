import type { ModelDescription } from "../../packages/sdk/src/wire/models.ts";
import type { ModelCatalog } from "../../src/llm/models/model-catalog.ts";

/** What a catalog says of a model, but for its name. */
export type ModelSaying = Omit<ModelDescription, "provider" | "model">;

/** An active model of which only the price is missing. */
export const anUnpricedModel: ModelSaying = { lifecycle: "active", overdue: false, features: {}, source: "provider" };

/** An active model with a price. */
export const aPricedModel: ModelSaying = { ...anUnpricedModel, price: { input: 1_000_000, output: 5_000_000 } };

/** A catalog that says the same of every model. */
export function aModelCatalog(saying: () => ModelSaying = () => aPricedModel): Pick<ModelCatalog, "describe"> {
  return { describe: async (refs) => refs.map((ref) => ({ ...ref, ...saying() })) };
}
