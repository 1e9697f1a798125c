import type { ShapeReader } from "./usage-shape.ts";

/**
 * `usage` of Bedrock's Converse: `inputTokens` is the uncached remainder, and all four sum to `totalTokens`.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
 */
export const bedrockConverse: ShapeReader = {
  shape: "bedrock-converse",
  needs: ["inputTokens", "outputTokens", "totalTokens"],
  vendors: ["bedrock", "anthropic", "other"],
  read(source) {
    const read = source.count("cacheReadInputTokens") ?? 0;
    const written = source.count("cacheWriteInputTokens") ?? 0;
    const byLifetime = source.children("cacheDetails").map((entry) => ({ ttl: entry.text("ttl"), count: entry.count("inputTokens") ?? 0 }));
    const of = (lifetime: string) => byLifetime.filter(({ ttl }) => ttl === lifetime).reduce((sum, { count }) => sum + count, 0);
    const all = byLifetime.reduce((sum, { count }) => sum + count, 0);
    const [write5m, write1h] = byLifetime.length === 0 ? [written, 0] : [of("5m"), of("1h")];
    return {
      uncached: source.count("inputTokens"),
      read,
      write5m,
      write1h,
      output: source.count("outputTokens") ?? 0,
      total: source.count("totalTokens"),
      derived: [
        { name: "cacheReadInputTokenCount", value: source.count("cacheReadInputTokenCount"), allowed: [read] },
        { name: "cacheWriteInputTokenCount", value: source.count("cacheWriteInputTokenCount"), allowed: [written] },
        { name: "cacheDetails", value: byLifetime.length === 0 ? undefined : all, allowed: [written] },
        { name: "cacheDetails by 5m and 1h", value: write5m + write1h, allowed: [written] },
      ],
    };
  },
};
