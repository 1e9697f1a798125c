import type { PriceTerms } from "../price-table.ts";
import { inclusiveVendors } from "../provider-vendor.ts";
import { anomaly, type ClaimedUsage, type UsageAnomalyResult } from "../token-partition.ts";
import type { UsageSource } from "../usage-source.ts";
import { checkedAgainstRaw } from "./checked-against-raw.ts";
import { summedWrites } from "./read-writes.ts";
import type { ReadContext, ShapeReader } from "./usage-shape.ts";

/** `LanguageModelUsage` of the Vercel AI SDK 5, 6 and 7. From 6 on `inputTokens` is the whole prompt and `inputTokenDetails` splits it. */
export const aiSdk: ShapeReader = {
  shape: "ai-sdk",
  needs: ["inputTokens", "outputTokens"],
  read: (source, context) => (source.has("inputTokenDetails") ? readDetailed(source, context) : readFlat(source, context)),
};

function readDetailed(source: UsageSource, context: ReadContext): ClaimedUsage | UsageAnomalyResult {
  const details = source.child("inputTokenDetails");
  const made = source.child("outputTokenDetails");
  const [input, output] = [source.count("inputTokens") ?? 0, source.count("outputTokens") ?? 0];
  const cached = source.count("cachedInputTokens");
  const read = details.count("cacheReadTokens") ?? cached ?? 0;
  const thought = source.count("reasoningTokens");
  const reasoning = made.count("reasoningTokens") ?? thought ?? 0;
  const { parts, written } = summedWrites(details.count("cacheWriteTokens"), context.vendor);
  const claimed: ClaimedUsage = {
    inputTotal: input,
    uncached: details.count("noCacheTokens"),
    read,
    ...parts,
    output,
    reasoning,
    total: source.count("totalTokens"),
    reasoningIs: "as_total_says",
    terms: maybeSum,
    derived: [
      { name: "cachedInputTokens", value: cached, allowed: [read] },
      { name: "reasoningTokens", value: thought, allowed: [reasoning] },
      { name: "outputTokenDetails.textTokens", value: made.count("textTokens"), allowed: [output - reasoning, output] },
    ],
  };
  return checkedAgainstRaw({ claimed, written }, source, context);
}

/** `totalUsage`, in version 7 `usage` too, is the sum of all steps of a call. A sum has no `raw`; neither has a step of some providers. */
const maybeSum: PriceTerms = { isSum: true };

/** Version 5: whether `inputTokens` holds what was read from the cache is the provider's own habit, and writes are not in it. */
function readFlat(source: UsageSource, { vendor }: ReadContext): ClaimedUsage | UsageAnomalyResult {
  const cached = source.count("cachedInputTokens");
  const [input, output, total] = [source.count("inputTokens"), source.count("outputTokens") ?? 0, source.count("totalTokens")];
  const reasoning = source.count("reasoningTokens");
  if (cached !== undefined && !inclusiveVendors.includes(vendor)) {
    return anomaly(
      "ambiguous_shape",
      "AI SDK 5 leaves out what was written to this provider's cache; report providerMetadata.anthropic.usage, the provider's own usage object, or use AI SDK 6",
    );
  }
  if (total === undefined && (reasoning ?? 0) > 0 && vendor !== "openai")
    return anomaly(
      "ambiguous_shape",
      "without totalTokens it is not clear whether outputTokens holds the reasoning; report the whole usage object",
    );
  return { inputTotal: input, read: cached, output, reasoning, total, reasoningIs: "as_total_says", terms: maybeSum };
}
