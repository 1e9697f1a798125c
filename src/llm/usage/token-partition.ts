import type { TokenPartition, UsageAnomaly, UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
/** A request that used nothing, e.g. one that was refused. */
export const noTokens: TokenPartition = {
  uncached: 0,
  read: 0,
  write5m: 0,
  write30m: 0,
  write1h: 0,
  write12h: 0,
  output: 0,
  reasoning: 0,
};

/** Tokens written to the provider's cache, any lifetime. */
export function writtenTokens(tokens: TokenPartition): number {
  return tokens.write5m + tokens.write30m + tokens.write1h + tokens.write12h;
}

/** All prompt tokens. */
export function inputTokens(tokens: TokenPartition): number {
  return tokens.uncached + tokens.read + writtenTokens(tokens);
}

/** All tokens of an event that have no price; 0 when it has one. */
export function unpricedTokens(event: Pick<UsageEvent, "unpriced" | "tokens">): number {
  return event.unpriced === undefined ? 0 : inputTokens(event.tokens) + event.tokens.output;
}

/** A partition, or the named reason why there is none. An anomaly is counted and shown, never priced. */
export type PartitionResult =
  | { readonly kind: "tokens"; readonly tokens: TokenPartition; readonly serviceTier?: string }
  | { readonly kind: "anomaly"; readonly reason: UsageAnomaly; readonly detail: string };

/** What a provider or library said, before the invariant was asserted. Absent parts are 0. */
export interface ClaimedUsage {
  /** The prompt's total as the source gave it; absent when the source gives parts only. */
  readonly inputTotal?: number;
  /** Absent when the source gives only the total: it is the difference then. */
  readonly uncached?: number;
  readonly read?: number;
  readonly write5m?: number;
  readonly write30m?: number;
  readonly write1h?: number;
  readonly write12h?: number;
  readonly output: number;
  readonly reasoning?: number;
  readonly serviceTier?: string;
}

const largestCount = 10_000_000_000;

/** Asserts the invariant: every part a count, the parts sum to the total, reasoning within the output. */
export function partitionOf(claimed: ClaimedUsage): PartitionResult {
  for (const [name, value] of Object.entries(claimed)) {
    if (typeof value === "number" && !(Number.isInteger(value) && value >= 0 && value <= largestCount)) {
      return anomaly("not_a_count", `${name} is ${value}; a count is a whole number from 0 to ${largestCount}`);
    }
  }
  const { inputTotal, read = 0, write5m = 0, write30m = 0, write1h = 0, write12h = 0, output, reasoning = 0 } = claimed;
  const cached = read + write5m + write30m + write1h + write12h;
  if (inputTotal === undefined && claimed.uncached === undefined) return anomaly("missing_count", "there is no count of prompt tokens");
  const uncached = claimed.uncached ?? (inputTotal ?? 0) - cached;
  if (uncached < 0) return anomaly("parts_exceed_total", `${cached} tokens read and written of a prompt of ${inputTotal ?? 0}`);
  if (inputTotal !== undefined && uncached + cached !== inputTotal) {
    return anomaly("parts_do_not_sum", `${uncached} uncached + ${cached} read and written is not the total ${inputTotal}`);
  }
  if (reasoning > output) return anomaly("reasoning_exceeds_output", `${reasoning} reasoning tokens in an output of ${output}`);
  return {
    kind: "tokens",
    tokens: { uncached, read, write5m, write30m, write1h, write12h, output, reasoning },
    ...(claimed.serviceTier === undefined ? {} : { serviceTier: claimed.serviceTier }),
  };
}

/** An anomaly as a value. */
export function anomaly(reason: UsageAnomaly, detail: string): PartitionResult {
  return { kind: "anomaly", reason, detail };
}
