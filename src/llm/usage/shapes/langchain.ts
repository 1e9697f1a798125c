import { priceTerms } from "./read-terms.ts";
import { anthropicWrites, summedWrites } from "./read-writes.ts";
import type { ShapeReader } from "./usage-shape.ts";

/** LangChain's `usage_metadata`: `input_tokens` is the whole prompt of every provider. */
export const langChain: ShapeReader = {
  shape: "langchain",
  needs: ["input_tokens", "output_tokens", "total_tokens"],
  read(source, { vendor }) {
    const details = source.child("input_token_details");
    const made = source.child("output_token_details");
    const sum = details.count("cache_creation");
    const hasSplit = details.has("ephemeral_5m_input_tokens") || details.has("ephemeral_1h_input_tokens");
    // Where the writes are split by lifetime, the sum is set to 0 so that adding all details counts nothing twice.
    const { parts, derived } = hasSplit ? anthropicWrites(sum === 0 ? undefined : sum, details) : summedWrites(sum, vendor);
    return {
      inputTotal: source.count("input_tokens"),
      read: details.count("cache_read"),
      ...parts,
      output: source.count("output_tokens") ?? 0,
      reasoning: made.count("reasoning"),
      total: source.count("total_tokens"),
      reasoningIs: "as_total_says",
      terms: priceTerms({
        audio: { input: details.count("audio"), output: made.count("audio") },
        image: { input: details.count("image"), output: made.count("image") },
      }),
      derived,
    };
  },
};
