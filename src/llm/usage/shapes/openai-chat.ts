import { anomaly, type ClaimedUsage, type DerivedCount, type UsageAnomalyResult } from "../token-partition.ts";
import type { UsageSource } from "../usage-source.ts";
import { priceTerms, readTerms } from "./read-terms.ts";
import { anthropicWrites, openAiWrites, type Writes } from "./read-writes.ts";
import type { ReadContext, ShapeReader } from "./usage-shape.ts";

/**
 * `usage` of OpenAI's Chat Completions and of those that answer in its form: LiteLLM, OpenRouter, DeepSeek, xAI, Kimi, Mistral, Gemini.
 * `prompt_tokens` holds what was read from the cache and written to it. Whether `completion_tokens` holds the reasoning, the total says.
 */
export const openAiChat: ShapeReader = {
  shape: "openai-chat",
  needs: ["prompt_tokens", "completion_tokens"],
  read: (source, context) => readChat(source, context),
};

function readChat(source: UsageSource, { vendor }: ReadContext): ClaimedUsage | UsageAnomalyResult {
  const input = source.count("prompt_tokens") ?? 0;
  const completion = source.count("completion_tokens") ?? 0;
  const total = source.count("total_tokens");
  const details = source.child("prompt_tokens_details");
  const made = source.child("completion_tokens_details");
  const reads = readsOf(source, details);
  const writes = writesOf(source, details);
  const reasoning = made.count("reasoning_tokens") ?? 0;
  const audio = { input: details.count("audio_tokens"), output: made.count("audio_tokens") };
  const image = { input: details.count("image_tokens"), output: made.count("image_tokens") };
  // Prices and times of the answer, and parts of the completion that cost what the others cost.
  source.skip("cost", "cost_details", "cost_in_usd_ticks", "queue_time", "prompt_time", "completion_time", "total_time");
  made.skip("accepted_prediction_tokens", "rejected_prediction_tokens");
  const terms = readTerms(source);
  const searched = source.count("num_sources_used") ?? 0;
  const uncached = input - reads.read - writes.written;
  const modal = (audio.input ?? 0) + (image.input ?? 0);
  const spoken = (audio.output ?? 0) + (image.output ?? 0);
  if (total === undefined && reasoning > 0 && (vendor === "xai" || vendor === "google" || vendor === "vertex"))
    return anomaly(
      "ambiguous_shape",
      "without total_tokens it is not clear whether completion_tokens holds the reasoning; report the whole usage object",
    );
  // Gemini's own OpenAI form leaves the thoughts out of the completion and counts them in the total.
  const thoughts = vendor === "google" && reasoning === 0 && total !== undefined ? Math.max(0, total - input - completion) : reasoning;
  return {
    inputTotal: input,
    read: reads.read,
    ...writes.parts,
    // Named, so that a breakdown which does not sum to what was written fails the invariant.
    ...(uncached >= 0 && { uncached }),
    output: completion,
    reasoning: thoughts,
    total,
    reasoningIs: "as_total_says",
    terms: priceTerms({ ...terms, tools: { ...terms.tools, search_source: searched }, audio: { ...audio }, image: { ...image } }),
    derived: [
      ...reads.derived,
      ...writes.derived,
      { name: "prompt_cache_miss_tokens", value: source.count("prompt_cache_miss_tokens"), allowed: [uncached] },
      { name: "prompt_tokens_details.text_tokens", value: details.count("text_tokens"), allowed: [input - modal, uncached - modal] },
      {
        name: "completion_tokens_details.text_tokens",
        value: made.count("text_tokens"),
        allowed: [completion - spoken, completion - spoken - reasoning],
      },
    ],
  };
}

/** Tokens read from the cache, which one answer may give at several places. */
function readsOf(source: UsageSource, details: UsageSource): { readonly read: number; readonly derived: readonly DerivedCount[] } {
  const given = [
    { name: "prompt_tokens_details.cached_tokens", value: details.count("cached_tokens") },
    { name: "cached_tokens", value: source.count("cached_tokens") },
    { name: "num_cached_tokens", value: source.count("num_cached_tokens") },
    { name: "prompt_cache_hit_tokens", value: source.count("prompt_cache_hit_tokens") },
    { name: "cache_read_input_tokens", value: source.count("cache_read_input_tokens") },
  ];
  const read = given.find(({ value }) => value !== undefined)?.value ?? 0;
  return { read, derived: given.map((one) => ({ ...one, allowed: [read] })) };
}

/** Tokens written to the cache: OpenAI's own, or LiteLLM's of an Anthropic model. */
function writesOf(source: UsageSource, details: UsageSource): Writes {
  const nested = details.count("cache_creation_tokens");
  const top = source.count("cache_creation_input_tokens");
  const anthropic = anthropicWrites(nested ?? top, details.child("cache_creation_token_details"));
  const openAi = openAiWrites(details.count("cache_write_tokens"), details.child("cache_write_tokens_details"));
  const same = { name: "cache_creation_input_tokens", value: top, allowed: [anthropic.written] };
  if (anthropic.written === 0) return { ...openAi, derived: [...openAi.derived, ...anthropic.derived, same] };
  const twice = { name: "cache_write_tokens", value: openAi.written, allowed: [0, anthropic.written] };
  return { ...anthropic, derived: [...anthropic.derived, ...openAi.derived, same, twice] };
}
