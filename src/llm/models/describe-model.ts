import type { ModelDescription } from "../../../packages/sdk/src/wire/models.ts";
import type { ModelRef } from "../../../packages/sdk/src/wire/routing.ts";
import type { Instant } from "../../core/clock.ts";
import { isSameModel, type PriceTable } from "../usage/price-table.ts";
import type { KeptModel, ModelListing } from "./model-listing.ts";
import type { ModelRow, ModelTable } from "./model-table.ts";

/** Everything that is known of models. */
export interface ModelFacts {
  readonly listings: readonly ModelListing[];
  readonly table: ModelTable;
  readonly prices: Pick<PriceTable, "find">;
}

/** The lifecycle of a model, and who says so. */
type Life = Pick<ModelDescription, "lifecycle" | "deprecatedAt" | "retiresAt" | "source" | "asOf">;

/**
 * What is known of one model now. The provider's own list goes before the table, which fills in what a list leaves out. A model that its provider's list does
 * not have is retired when the date of its retirement has passed, and unknown otherwise.
 */
export function describeModel(ref: ModelRef, { listings, table, prices }: ModelFacts, now: Instant): ModelDescription {
  const listing = listings.find(({ provider }) => provider === ref.provider);
  const listed = listing && findListed(listing.models, ref.model);
  const row = table.find(ref);
  const price = prices.find(ref.provider, ref.model, now);
  const life = lifeOf({ listing, listed, row }, now);
  const contextTokens = listed?.contextTokens ?? row?.contextTokens;
  const outputTokens = listed?.outputTokens ?? row?.outputTokens;
  const isPast = life.retiresAt !== undefined && life.retiresAt <= now;
  return {
    provider: ref.provider,
    model: ref.model,
    ...life,
    overdue: isPast && life.lifecycle !== "retired",
    ...(contextTokens !== undefined && { contextTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
    features: { ...row?.features, ...listed?.features },
    ...(row?.replacement !== undefined && { replacement: row.replacement }),
    ...(price !== undefined && { price: { input: price.input, output: price.output } }),
  };
}

/** Every model that a list or the table names, as it is now. */
export function describeModels(facts: ModelFacts, now: Instant): readonly ModelDescription[] {
  const refs = [...facts.listings.flatMap(({ provider, models }) => models.map(({ model }) => ({ provider, model }))), ...facts.table.rows];
  const byName = new Map(refs.map(({ provider, model }) => [`${provider}/${model}`, { provider, model }]));
  return [...byName.values()].map((ref) => describeModel(ref, facts, now));
}

/** The entry of this id, or the newest of the same model with a date behind its id. */
function findListed(models: readonly KeptModel[], model: string): KeptModel | undefined {
  const dated = models.filter((kept) => isSameModel(model, kept.model)).toSorted((a, b) => (a.model < b.model ? 1 : -1));
  return models.find((kept) => kept.model === model) ?? dated[0];
}

function lifeOf(
  {
    listing,
    listed,
    row,
  }: { readonly listing: ModelListing | undefined; readonly listed: KeptModel | undefined; readonly row: ModelRow | undefined },
  now: Instant,
): Life {
  const written = datesOf(row);
  // No list was ever read: the table is all there is.
  if (listing === undefined) return row?.lifecycle === undefined ? unknownLife() : ofTable(row);
  const isListed = listed !== undefined && listed.listedAt >= listing.at;
  if (isListed && listed.lifecycle !== undefined)
    return { lifecycle: listed.lifecycle, ...datesOf(listed), source: "provider", asOf: listing.at };
  if (isListed) return row?.lifecycle === undefined ? unknownLife() : ofTable(row);
  const dates = { ...written, ...datesOf(listed) };
  const isRetired = row?.lifecycle === "retired" || listed?.lifecycle === "retired";
  const lifecycle = isRetired || (dates.retiresAt !== undefined && dates.retiresAt <= now) ? "retired" : "unknown";
  return { lifecycle, ...dates, source: "provider", asOf: listing.at };
}

function ofTable(row: ModelRow): Life {
  return { lifecycle: row.lifecycle ?? "unknown", ...datesOf(row), source: "table", asOf: row.asOf };
}

function unknownLife(): Life {
  return { lifecycle: "unknown", source: "none" };
}

function datesOf(facts: { readonly deprecatedAt?: Instant; readonly retiresAt?: Instant } | undefined) {
  return {
    ...(facts?.deprecatedAt !== undefined && { deprecatedAt: facts.deprecatedAt }),
    ...(facts?.retiresAt !== undefined && { retiresAt: facts.retiresAt }),
  };
}
