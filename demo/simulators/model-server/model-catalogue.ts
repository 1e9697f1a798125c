import type { Instant } from "../../../src/core/clock.ts";
import type { MicroUsd } from "../../../src/core/money.ts";

/** What the server knows about one model: its own price list, limits and tokenizer. */
export interface ServedModel {
  readonly id: string;
  /** Micro-USD per million tokens. */
  readonly inputPerMillion: MicroUsd;
  readonly outputPerMillion: MicroUsd;
  /** A shorter prefix is processed without caching and without an error. */
  readonly minCacheableTokens: number;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  /** Tokenizers differ between models: the same text is more tokens on a newer one. */
  readonly bytesPerToken: number;
  /** When its provider retires it; absent: no date is known, and it is active. */
  readonly retirement?: { readonly deprecatedAt: Instant; readonly retiresAt: Instant };
}

/** Multipliers on the base input price: reading, and writing for five minutes or an hour. */
export const cacheMultipliers = { read: 0.1, write5m: 1.25, write1h: 2 } as const;

/** The models that are served. Prices and minimums are the published ones of the workload's price table. */
export const servedModels: readonly ServedModel[] = [
  {
    id: "claude-sonnet-4-5",
    inputPerMillion: 3_000_000,
    outputPerMillion: 15_000_000,
    minCacheableTokens: 1024,
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    bytesPerToken: 3.6,
  },
  {
    id: "claude-haiku-4-5",
    inputPerMillion: 1_000_000,
    outputPerMillion: 5_000_000,
    minCacheableTokens: 4096,
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    bytesPerToken: 3.6,
  },
  {
    id: "claude-opus-4-5",
    inputPerMillion: 5_000_000,
    outputPerMillion: 25_000_000,
    minCacheableTokens: 4096,
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    bytesPerToken: 3.6,
  },
];

/** The model of this id or of a dated snapshot of it (`claude-sonnet-4-5-20250929`). */
export function findModel(id: string, models: readonly ServedModel[] = servedModels): ServedModel | undefined {
  const base = id.replace(/-\d{8}$/, "");
  return models.find((model) => model.id === base);
}

/** An entry of `GET /v1/models`. https://platform.claude.com/docs/en/api/models/list */
export function modelListEntry({ id, contextTokens, maxOutputTokens, retirement }: ServedModel) {
  const day = (at: Instant) => new Date(at).toISOString();
  return {
    type: "model",
    id,
    display_name: id,
    created_at: day(0),
    lifecycle: retirement === undefined ? "active" : "deprecated",
    deprecated_at: retirement === undefined ? null : day(retirement.deprecatedAt),
    retires_at: retirement === undefined ? null : day(retirement.retiresAt),
    max_input_tokens: contextTokens,
    max_tokens: maxOutputTokens,
    capabilities: null,
  };
}
