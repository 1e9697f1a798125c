import { anomaly } from "../token-partition.ts";
import { checkedAgainstRaw } from "./checked-against-raw.ts";
import { summedWrites } from "./read-writes.ts";
import type { ShapeReader } from "./usage-shape.ts";

/** Usage of the AI SDK's provider specification V3 and V4, where input and output are objects. */
export const aiSdkProvider: ShapeReader = {
  shape: "ai-sdk-provider",
  needs: ["inputTokens", "outputTokens"],
  read(source, context) {
    const input = source.child("inputTokens");
    const made = source.child("outputTokens");
    const output = made.count("total");
    if (output === undefined) return anomaly("missing_count", "outputTokens.total is not given");
    const reasoning = made.count("reasoning") ?? 0;
    const { parts, written } = summedWrites(input.count("cacheWrite"), context.vendor);
    const claimed = {
      inputTotal: input.count("total"),
      uncached: input.count("noCache"),
      read: input.count("cacheRead"),
      ...parts,
      output,
      reasoning,
      derived: [{ name: "outputTokens.text", value: made.count("text"), allowed: [output - reasoning, output] }],
    };
    return checkedAgainstRaw({ claimed, written }, source, context);
  },
};
