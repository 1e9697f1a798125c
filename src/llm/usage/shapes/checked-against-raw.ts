import { anomaly, type ClaimedUsage, inputTokens, partitionOf, type UsageAnomalyResult } from "../token-partition.ts";
import type { UsageSource } from "../usage-source.ts";
import { readTerms } from "./read-terms.ts";
import { anthropicWrites } from "./read-writes.ts";
import type { ReadContext } from "./usage-shape.ts";

/** Totals of input and output as providers name them. */
const totals = ["total_tokens", "totalTokens", "totalTokenCount"];

/**
 * Libraries keep the provider's own object as `raw`, of one request: a sum of several has none. It says more: lifetimes of writes, tier, speed,
 * region, tools. Where it can be read, it is what counts. One that proves itself by a total of its own may differ from the library's counts,
 * which do not know every provider's habits; another must give the same.
 */
export function checkedAgainstRaw(
  { claimed, written }: { readonly claimed: ClaimedUsage; readonly written: number },
  source: UsageSource,
  context: ReadContext,
): ClaimedUsage | UsageAnomalyResult {
  if (!source.has("raw")) return claimed;
  const result = partitionOf(claimed);
  if (result.kind === "anomaly") return result;
  const given = source.raw("raw");
  const inner = context.normalize(given);
  if (inner.kind === "tokens") {
    const { tokens } = result;
    const same =
      inputTokens(inner.tokens) === inputTokens(tokens) && inner.tokens.output === tokens.output && inner.tokens.read === tokens.read;
    const isProven = typeof given === "object" && given !== null && totals.some((key) => Object.hasOwn(given, key));
    if (!same && !isProven) return anomaly("parts_do_not_sum", "the library's counts and the provider's own object in raw differ");
    return { ...inner.tokens, terms: inner.terms };
  }
  if (inner.reason !== "missing_count" && inner.reason !== "unrecognised_shape") return inner;
  // A part of the provider's object: the lifetimes of the writes and the terms are taken from it, and what else is in it is noticed.
  const raw = source.child("raw");
  const split = raw.child("cache_creation");
  if (!raw.has("cache_creation")) return { ...claimed, terms: readTerms(raw) };
  const writes = anthropicWrites(written, split);
  return {
    ...claimed,
    write5m: 0,
    write30m: 0,
    ...writes.parts,
    terms: readTerms(raw),
    derived: [...(claimed.derived ?? []), ...writes.derived],
  };
}
