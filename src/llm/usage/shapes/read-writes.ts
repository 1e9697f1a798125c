import type { Vendor } from "../provider-vendor.ts";
import type { ClaimedUsage, DerivedCount } from "../token-partition.ts";
import type { UsageSource } from "../usage-source.ts";

/** Tokens written to the cache by lifetime, with the check that they are what the sum says. */
export interface Writes {
  readonly parts: Pick<ClaimedUsage, "write5m" | "write30m" | "write1h" | "write12h">;
  readonly written: number;
  readonly derived: readonly DerivedCount[];
}

/** Anthropic's writes: `split` holds them by lifetime; without it they are for five minutes. */
export function anthropicWrites(sum: number | undefined, split: UsageSource): Writes {
  const [write5m, write1h] = [split.count("ephemeral_5m_input_tokens"), split.count("ephemeral_1h_input_tokens")];
  if (write5m === undefined && write1h === undefined) return { parts: { write5m: sum ?? 0 }, written: sum ?? 0, derived: [] };
  const written = (write5m ?? 0) + (write1h ?? 0);
  return { parts: { write5m, write1h }, written, derived: [{ name: "the sum of cache writes", value: sum, allowed: [written] }] };
}

/** OpenAI's writes: `split` holds them by lifetime; without it they are for half an hour. */
export function openAiWrites(sum: number | undefined, split: UsageSource): Writes {
  const [write30m, write12h] = [split.count("ttl_30m_tokens"), split.count("ttl_12h_tokens")];
  if (write30m === undefined && write12h === undefined) return { parts: { write30m: sum ?? 0 }, written: sum ?? 0, derived: [] };
  const written = (write30m ?? 0) + (write12h ?? 0);
  return { parts: { write30m, write12h }, written, derived: [{ name: "cache_write_tokens", value: sum, allowed: [written] }] };
}

/** Writes of a library that gives one sum: for the lifetime that the vendor takes without being asked. */
export function summedWrites(sum: number | undefined, vendor: Vendor): Writes {
  const written = sum ?? 0;
  return { parts: vendor === "openai" ? { write30m: written } : { write5m: written }, written, derived: [] };
}
