import { type CacheLifetime, cacheLifetimes } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import type { MicroUsd } from "../../core/money.ts";
import type { MeasuredTokens } from "../../core/prefix-sample.ts";
import type { ReplayTokens } from "./cache-replay.ts";

/** Prices of input tokens in micro-USD per million tokens. A lifetime without a price cannot be chosen. */
export interface CachePrices {
  readonly input: MicroUsd;
  readonly read: MicroUsd;
  readonly write: Partial<Readonly<Record<CacheLifetime, MicroUsd>>>;
}

/** What replayed input tokens cost, in micro-USD, not rounded. Infinite when a lifetime that was written has no price. */
export function replayCost(tokens: ReplayTokens, prices: CachePrices): number {
  let sum = tokens.read * prices.read + tokens.uncached * prices.input;
  for (const ttl of cacheLifetimes) if (tokens.write[ttl] > 0) sum += tokens.write[ttl] * (prices.write[ttl] ?? Number.POSITIVE_INFINITY);
  return sum / 1_000_000;
}

/** What measured input tokens cost, in micro-USD, not rounded. */
export function measuredInputCost(tokens: MeasuredTokens, prices: CachePrices): number {
  const { uncached, read, write5m, write30m, write1h, write12h } = tokens;
  const write = { "5m": write5m, "30m": write30m, "1h": write1h, "12h": write12h };
  return replayCost({ uncached, read, write, total: 0 }, prices);
}

/**
 * The hit probability above which marking a segment pays: H > (w − 1)/(w − r), with the price of a write `w` and of a read `r` as multiples of the input
 * price. A segment costs w when it is missed and r when it is hit, and 1 without a marker.
 */
export function breakEvenHit(writeMultiple: number, readMultiple = 0.1): number {
  return (writeMultiple - 1) / (writeMultiple - readMultiple);
}

/**
 * The hit probability that the longer lifetime needs to be worth its dearer writes, when the shorter one has `shortHit`:
 * w_l − (w_l − r)·H_l < w_s − (w_s − r)·H_s. With 2, 1.25 and 0.1: (1.15·H_5m + 0.75)/1.9.
 */
export function longLifetimeHit(shortHit: number, { long = 2, short = 1.25, read = 0.1 } = {}): number {
  return ((short - read) * shortHit + (long - short)) / (long - read);
}

/** Expected cost of a layered prefix and its unmarked rest per request: p·[Σ t_k·(r·H_k + w_k·(1 − H_k)) + u], in micro-USD. */
export function layeredCost(
  layers: readonly { readonly tokens: number; readonly hit: number; readonly writeMultiple: number }[],
  options: { readonly uncachedTokens: number; readonly inputPrice: MicroUsd; readonly readMultiple?: number },
): number {
  const { uncachedTokens, inputPrice, readMultiple = 0.1 } = options;
  const weighted = layers.reduce(
    (sum, { tokens, hit, writeMultiple }) => sum + tokens * (readMultiple * hit + writeMultiple * (1 - hit)),
    uncachedTokens,
  );
  return (weighted * inputPrice) / 1_000_000;
}
