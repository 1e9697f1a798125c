import type { GeneratedResponse } from "./generate-response.ts";
import type { CacheSplit } from "./prompt-cache.ts";

/** `usage` of an answer. `input_tokens` is the uncached remainder only; `nullFields` is the form of older answers. */
export function usageJson(split: CacheSplit, outputTokens: number, nullFields: boolean) {
  const cache = nullFields
    ? { cache_creation_input_tokens: null, cache_read_input_tokens: null, cache_creation: null }
    : {
        cache_creation_input_tokens: split.write5m + split.write1h,
        cache_read_input_tokens: split.read,
        cache_creation: { ephemeral_5m_input_tokens: split.write5m, ephemeral_1h_input_tokens: split.write1h },
      };
  return {
    input_tokens: split.uncached,
    ...cache,
    output_tokens: outputTokens,
    output_tokens_details: null,
    server_tool_use: null,
    service_tier: "standard",
    inference_geo: "not_available",
  };
}

/** A whole answer of `POST /v1/messages`. */
export function messageJson(id: string, model: string, generated: GeneratedResponse, usage: ReturnType<typeof usageJson>) {
  return {
    id,
    type: "message",
    role: "assistant",
    model,
    content: generated.content,
    container: null,
    stop_reason: generated.stopReason,
    stop_sequence: generated.stopSequence,
    stop_details: null,
    usage,
  };
}
