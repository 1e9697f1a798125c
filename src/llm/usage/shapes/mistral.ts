import { anomaly } from "../token-partition.ts";
import type { ShapeReader } from "./usage-shape.ts";

/** Usage of Mistral's client for TypeScript. AI SDK 4 and LangChain's `tokenUsage` have the same members and leave cached tokens out. */
export const mistral: ShapeReader = {
  shape: "mistral",
  needs: ["promptTokens", "completionTokens", "totalTokens"],
  read(source, { vendor }) {
    const details = source.child("promptTokensDetails");
    const claimed = {
      inputTotal: source.count("promptTokens"),
      read: details.count("cachedTokens") ?? source.count("numCachedTokens"),
      output: source.count("completionTokens") ?? 0,
      total: source.count("totalTokens"),
    };
    if (vendor === "mistral") return claimed;
    return anomaly(
      "ambiguous_shape",
      "promptTokens says nothing about cached tokens; report the provider's own usage object, LangChain's usage_metadata, or use AI SDK 6",
    );
  },
};
