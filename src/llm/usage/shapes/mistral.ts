import { anomaly, type ClaimedUsage } from "../token-partition.ts";
import type { UsageSource } from "../usage-source.ts";
import { priceTerms } from "./read-terms.ts";
import type { ShapeReader } from "./usage-shape.ts";

/** Usage of Mistral's client for TypeScript. AI SDK 4 and LangChain's `tokenUsage` have the same members and leave cached tokens out. */
export const mistral: ShapeReader = {
  shape: "mistral",
  needs: ["promptTokens", "completionTokens", "totalTokens"],
  read(source, { vendor }) {
    const claimed = {
      inputTotal: source.count("promptTokens"),
      ...readsOf(source),
      output: source.count("completionTokens") ?? 0,
      total: source.count("totalTokens"),
      terms: priceTerms({ serviceTier: source.text("serviceTier") ?? source.text("service_tier") }),
    };
    if (vendor === "mistral") return claimed;
    return anomaly(
      "ambiguous_shape",
      "promptTokens says nothing about cached tokens; report the provider's own usage object, LangChain's usage_metadata, or use AI SDK 6",
    );
  },
};

/** The client spells the members that it has no type for, among them the cached tokens, as they are on the wire. */
function readsOf(source: UsageSource): Pick<ClaimedUsage, "read" | "derived"> {
  const given = [
    { name: "promptTokensDetails.cachedTokens", value: source.child("promptTokensDetails").count("cachedTokens") },
    { name: "numCachedTokens", value: source.count("numCachedTokens") },
    { name: "prompt_tokens_details.cached_tokens", value: source.child("prompt_tokens_details").count("cached_tokens") },
    { name: "num_cached_tokens", value: source.count("num_cached_tokens") },
  ];
  const read = given.find(({ value }) => value !== undefined)?.value ?? 0;
  return { read, derived: given.map((one) => ({ ...one, allowed: [read] })) };
}
