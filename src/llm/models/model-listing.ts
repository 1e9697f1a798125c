import type { ModelFeatures, ModelLifecycle } from "../../../packages/sdk/src/wire/models.ts";
import type { Instant } from "../../core/clock.ts";
import { errorField } from "../../core/error-field.ts";

/** One model as its provider's list describes it. What the list does not say is absent. */
export interface ListedModel {
  readonly model: string;
  readonly lifecycle?: Exclude<ModelLifecycle, "unknown">;
  readonly deprecatedAt?: Instant;
  readonly retiresAt?: Instant;
  readonly contextTokens?: number;
  readonly outputTokens?: number;
  readonly features: ModelFeatures;
}

/** A provider's answer: its models, and the entries that could not be read, which cost the others nothing. */
export interface ProviderModels {
  readonly models: readonly ListedModel[];
  /** Ids, or `entry 7` where not even the id could be read. */
  readonly unreadable: readonly string[];
}

/** What an entry that cannot be read is called: its id where it has one. `place` counts from 1. */
export function unreadableName(entry: unknown, place: number): string {
  const id = errorField(entry, "id");
  return typeof id === "string" && /^[\w.:/@-]{1,120}$/.test(id) ? id : `entry ${place}`;
}

/** A provider's list of models. */
export interface ModelSource {
  /** OTel's provider name. */
  readonly provider: string;
  /** Rejects with an Error whose message is for people and holds no secret. */
  list(signal: AbortSignal): Promise<ProviderModels>;
}

/** A model that a provider has listed, and when it last did. */
export interface KeptModel extends ListedModel {
  readonly listedAt: Instant;
}

/** What is kept of a provider's list. */
export interface ModelListing {
  readonly provider: string;
  /** When the list was last read. */
  readonly at: Instant;
  /** With those that are on the list no more, which have an older `listedAt`. */
  readonly models: readonly KeptModel[];
  readonly unreadable: readonly string[];
}

/** A list that could not be read; what is kept of it stays. */
export interface ListingFailure {
  readonly provider: string;
  readonly at: Instant;
  /** For people. */
  readonly reason: string;
}

/** Where lists of models are kept. Every member rejects with StoreUnavailable when the store does not answer. */
export interface ModelListingStore {
  /** By provider. */
  list(): Promise<readonly ModelListing[]>;
  /** The providers whose list could not be read at the last try, by provider. */
  failures(): Promise<readonly ListingFailure[]>;
  /** Replaces what is kept of the provider, and forgets its failure. */
  put(listing: ModelListing): Promise<void>;
  fail(failure: ListingFailure): Promise<void>;
}
