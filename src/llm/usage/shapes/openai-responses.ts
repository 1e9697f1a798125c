import { priceTerms, readTerms } from "./read-terms.ts";
import { openAiWrites } from "./read-writes.ts";
import type { ShapeReader } from "./usage-shape.ts";

/** `usage` of OpenAI's Responses: `input_tokens` is the whole prompt. https://platform.openai.com/docs/api-reference/responses/object */
export const openAiResponses: ShapeReader = {
  shape: "openai-responses",
  needs: ["input_tokens", "output_tokens"],
  read(source) {
    const input = source.count("input_tokens") ?? 0;
    const output = source.count("output_tokens") ?? 0;
    const details = source.child("input_tokens_details");
    const made = source.child("output_tokens_details");
    const read = details.count("cached_tokens") ?? 0;
    const { parts, written, derived } = openAiWrites(details.count("cache_write_tokens"), details.child("cache_write_tokens_details"));
    const uncached = input - read - written;
    const reasoning = made.count("reasoning_tokens") ?? 0;
    const audio = { input: details.count("audio_tokens"), output: made.count("audio_tokens") };
    const image = { input: details.count("image_tokens"), output: made.count("image_tokens") };
    const [modal, shown] = [(audio.input ?? 0) + (image.input ?? 0), (audio.output ?? 0) + (image.output ?? 0)];
    return {
      inputTotal: input,
      read,
      ...parts,
      ...(uncached >= 0 && { uncached }),
      output,
      reasoning,
      total: source.count("total_tokens"),
      reasoningIs: "as_total_says",
      terms: priceTerms({ ...readTerms(source), audio, image }),
      derived: [
        ...derived,
        { name: "input_tokens_details.text_tokens", value: details.count("text_tokens"), allowed: [input - modal, uncached - modal] },
        {
          name: "output_tokens_details.text_tokens",
          value: made.count("text_tokens"),
          allowed: [output - shown, output - shown - reasoning],
        },
      ],
    };
  },
};
