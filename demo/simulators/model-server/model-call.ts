import type { Instant } from "../../../src/core/clock.ts";
import type { MicroUsd } from "../../../src/core/money.ts";
import { cacheMultipliers, type ServedModel } from "./model-catalogue.ts";
import type { CacheSplit } from "./prompt-cache.ts";

/** One request as the provider saw and billed it: evidence that owes nothing to the application or to us. */
export interface ModelCall {
  readonly at: Instant;
  readonly requestId: string;
  readonly model: string;
  readonly status: number;
  /** `error.type`, or `connection_reset`. */
  readonly error?: string;
  /** `metadata.user_id` of the request: whatever the application calls its user. */
  readonly userId?: string;
  readonly tokens: CacheSplit & { readonly output: number };
  readonly costMicroUsd: MicroUsd;
}

/** Sums over every call since the start. */
export interface ModelServerStats {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly costMicroUsd: MicroUsd;
  readonly inFlight: number;
  /** The last 100 000 calls, oldest first. */
  readonly calls: readonly ModelCall[];
}

/** What one answer costs, in micro-USD; rounded once. */
export function costOf(model: ServedModel, split: CacheSplit, outputTokens: number): MicroUsd {
  const input =
    split.uncached +
    split.read * cacheMultipliers.read +
    split.write5m * cacheMultipliers.write5m +
    split.write1h * cacheMultipliers.write1h;
  return Math.round((input * model.inputPerMillion + outputTokens * model.outputPerMillion) / 1_000_000);
}
