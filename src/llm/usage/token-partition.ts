import type { TokenPartition, UsageAnomaly, UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { PriceTerms } from "./price-table.ts";
import { isCount, largestCount } from "./usage-source.ts";

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

/** A partition with what else decides its price, or the named reason why there is none. An anomaly is counted and shown, never priced. */
export type PartitionResult = { readonly kind: "tokens"; readonly tokens: TokenPartition; readonly terms: PriceTerms } | UsageAnomalyResult;

/** Why there is no partition; `detail` is for the person who sent the report. */
export interface UsageAnomalyResult {
  readonly kind: "anomaly";
  readonly reason: UsageAnomaly;
  readonly detail: string;
}

/** What a provider or library said, before the invariant was asserted. Absent parts are 0. */
export interface ClaimedUsage {
  /** The prompt's total as the source gave it; absent when the source gives parts only. */
  readonly inputTotal?: number | undefined;
  /** Absent when the source gives only the total: it is the difference then. */
  readonly uncached?: number | undefined;
  readonly read?: number | undefined;
  readonly write5m?: number | undefined;
  readonly write30m?: number | undefined;
  readonly write1h?: number | undefined;
  readonly write12h?: number | undefined;
  readonly output: number;
  readonly reasoning?: number | undefined;
  /** Input and output together as the source gave it. */
  readonly total?: number | undefined;
  /** Whether `output` holds the reasoning; `total` says so when it is not the same from one provider to the next. Inside when absent. */
  readonly reasoningIs?: "inside" | "beside" | "as_total_says" | undefined;
  readonly terms?: PriceTerms | undefined;
  /** Counts that follow from others: each must be one of the values that it can have. */
  readonly derived?: readonly DerivedCount[] | undefined;
}

/** A count that the source gives a second time, or as a sum of others. Without a value there is nothing to check. */
export interface DerivedCount {
  readonly name: string;
  readonly value: number | undefined;
  readonly allowed: readonly number[];
}

/** Asserts the invariant: every part a count, the parts sum to every total that was given, reasoning within the output. */
export function partitionOf(claimed: ClaimedUsage): PartitionResult {
  for (const [name, value] of Object.entries(claimed)) {
    if (typeof value === "number" && !isCount(value)) {
      return anomaly("not_a_count", `${name} is ${value}; a count is a whole number from 0 to ${largestCount}`);
    }
  }
  const { inputTotal, read = 0, write5m = 0, write30m = 0, write1h = 0, write12h = 0, reasoning = 0, terms = {} } = claimed;
  const cached = read + write5m + write30m + write1h + write12h;
  if (inputTotal === undefined && claimed.uncached === undefined) return anomaly("missing_count", "there is no count of prompt tokens");
  const uncached = claimed.uncached ?? (inputTotal ?? 0) - cached;
  if (uncached < 0) return anomaly("parts_exceed_total", `${cached} tokens read and written of a prompt of ${inputTotal ?? 0}`);
  if (inputTotal !== undefined && uncached + cached !== inputTotal) {
    return anomaly("parts_do_not_sum", `${uncached} uncached + ${cached} read and written is not the total ${inputTotal}`);
  }
  const output = outputOf(claimed, uncached + cached);
  if (typeof output !== "number") return output;
  const wrong = claimed.derived?.find(({ value, allowed }) => value !== undefined && !allowed.includes(value));
  if (wrong !== undefined) {
    const expected = [...new Set(wrong.allowed)].join(" or ");
    return anomaly("parts_do_not_sum", `${wrong.name} is ${wrong.value ?? 0}, but the other counts give ${expected}`);
  }
  if (reasoning > output) return anomaly("reasoning_exceeds_output", `${reasoning} reasoning tokens in an output of ${output}`);
  const { audio = {}, image = {} } = terms;
  const modal = { input: (audio.input ?? 0) + (image.input ?? 0), output: (audio.output ?? 0) + (image.output ?? 0) };
  if (modal.input > uncached || (audio.read ?? 0) > read || modal.output > output) {
    return anomaly("ambiguous_shape", "it is not said how many of the audio or image tokens were cached, so their price is unknown");
  }
  return { kind: "tokens", tokens: { uncached, read, write5m, write30m, write1h, write12h, output, reasoning }, terms };
}

/** All output tokens, or why that is unknown. */
function outputOf({ output, reasoning = 0, total, reasoningIs = "inside" }: ClaimedUsage, input: number): number | UsageAnomalyResult {
  const beside = output + reasoning;
  if (total === undefined) return reasoningIs === "beside" ? beside : output;
  const sums = reasoningIs === "inside" ? [output] : reasoningIs === "beside" ? [beside] : [output, beside];
  const fits = sums.find((sum) => input + sum === total);
  return fits ?? anomaly("parts_do_not_sum", `${input} of input + ${output} of output (${reasoning} reasoning) is not the total ${total}`);
}

/** An anomaly as a value. */
export function anomaly(reason: UsageAnomaly, detail: string): UsageAnomalyResult {
  return { kind: "anomaly", reason, detail };
}
