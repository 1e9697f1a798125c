import { anomaly } from "../token-partition.ts";
import { priceTerms } from "./read-terms.ts";
import { summedWrites } from "./read-writes.ts";
import type { ShapeReader } from "./usage-shape.ts";

/** `RequestUsage` of pydantic-ai and `Usage` of genai-prices: `input_tokens` is the whole prompt. */
export const pydanticAi: ShapeReader = {
  shape: "pydantic-ai",
  needs: ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"],
  read(source, { vendor }) {
    const input = source.count("input_tokens") ?? 0;
    const read = source.count("cache_read_tokens") ?? 0;
    const output = source.count("output_tokens") ?? 0;
    const { parts, written } = summedWrites(source.count("cache_write_tokens"), vendor);
    const raw = source.child("details");
    const reasoning = raw.count("reasoning_tokens") ?? raw.count("thoughts_tokens");
    if ((source.count("requests") ?? 1) > 1)
      return anomaly("ambiguous_shape", "it is the usage of several requests together; report each request separately");
    source.skip("tool_calls");
    return {
      inputTotal: input,
      read,
      ...parts,
      output,
      reasoning,
      terms: priceTerms({
        audio: {
          input: source.count("input_audio_tokens"),
          read: source.count("cache_audio_read_tokens"),
          output: source.count("output_audio_tokens"),
        },
      }),
      derived: [
        { name: "details.input_tokens", value: raw.count("input_tokens"), allowed: [input, input - read - written] },
        { name: "details.output_tokens", value: raw.count("output_tokens"), allowed: [output] },
        { name: "details.cache_read_input_tokens", value: raw.count("cache_read_input_tokens"), allowed: [read] },
        { name: "details.cache_creation_input_tokens", value: raw.count("cache_creation_input_tokens"), allowed: [written] },
        { name: "details.cached_content_tokens", value: raw.count("cached_content_tokens"), allowed: [read] },
      ],
    };
  },
};
