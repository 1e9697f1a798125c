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
export function findModel(id: string): ServedModel | undefined {
  const base = id.replace(/-\d{8}$/, "");
  return servedModels.find((model) => model.id === base);
}
