/** A usage object as a client, a gateway or an instrumentation writes it, and what must come of it. */
export interface UsageCase {
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  readonly usage: Record<string, unknown>;
  /** Tokens other than 0, with the cost in micro-USD where the model has a price; or the reason why there is none. */
  readonly expected:
    | { readonly tokens: Record<string, number>; readonly costMicroUsd?: number; readonly unpriced?: string }
    | { readonly anomaly: string };
}

const sonnet = { provider: "anthropic", model: "claude-sonnet-4-5-20250929" };
const opus = { provider: "anthropic", model: "claude-opus-4-8" };
const gpt5 = { provider: "openai", model: "gpt-5" };
const flash = { provider: "gcp.gemini", model: "gemini-2.5-flash" };

/** 210 × $3 + 31 000 × $0.30 + 4000 × $3.75 + 620 × $15, per million. */
const cachedTurn = { tokens: { uncached: 210, read: 31_000, write5m: 4000, output: 620 }, costMicroUsd: 630 + 9300 + 15_000 + 9300 };
/** The same prompt, whose writes live for an hour: 4000 × $6. */
const hourTurn = { tokens: { uncached: 210, read: 31_000, write1h: 4000, output: 620 }, costMicroUsd: 630 + 9300 + 24_000 + 9300 };
/** 1500 × $1.25 + 6000 × $0.125 + 900 × $10, per million; 400 of the output were reasoning. */
const reasonedTurn = { tokens: { uncached: 1500, read: 6000, output: 900, reasoning: 400 }, costMicroUsd: 1875 + 750 + 9000 };

/** One or more of every shape, with those that were once priced wrongly without a word. */
export const usageCases: readonly UsageCase[] = [
  {
    name: "Anthropic Messages",
    ...sonnet,
    usage: {
      input_tokens: 210,
      cache_read_input_tokens: 31_000,
      cache_creation_input_tokens: 4000,
      cache_creation: { ephemeral_5m_input_tokens: 4000, ephemeral_1h_input_tokens: 0 },
      output_tokens: 620,
      service_tier: "standard",
      inference_geo: "not_available",
      server_tool_use: null,
    },
    expected: cachedTurn,
  },
  {
    name: "Anthropic with web searches and page fetches",
    ...opus,
    usage: { input_tokens: 2000, output_tokens: 400, server_tool_use: { web_search_requests: 7, web_fetch_requests: 3 } },
    expected: { tokens: { uncached: 2000, output: 400 }, costMicroUsd: 10_000 + 10_000 + 70_000 },
  },
  {
    name: "Anthropic with a tool that has no price",
    ...opus,
    usage: { input_tokens: 2000, output_tokens: 400, server_tool_use: { code_execution_requests: 1 } },
    expected: { tokens: { uncached: 2000, output: 400 }, unpriced: "unknown_tool_price" },
  },
  {
    name: "Anthropic in fast mode",
    ...opus,
    usage: { input_tokens: 40_000, output_tokens: 3000, service_tier: "standard", speed: "fast" },
    expected: { tokens: { uncached: 40_000, output: 3000 }, costMicroUsd: 2 * (200_000 + 75_000) },
  },
  {
    name: "Anthropic in a fast mode that has no price",
    provider: "anthropic",
    model: "claude-opus-4-6",
    usage: { input_tokens: 90, output_tokens: 400, cache_read_input_tokens: 0, server_tool_use: { web_search_requests: 4 }, speed: "fast" },
    expected: { tokens: { uncached: 90, output: 400 }, unpriced: "unknown_modifier" },
  },
  {
    name: "Anthropic computed in one region",
    ...opus,
    usage: { input_tokens: 40_000, output_tokens: 3000, inference_geo: "us" },
    expected: { tokens: { uncached: 40_000, output: 3000 }, costMicroUsd: 302_500 },
  },
  {
    name: "Anthropic that compacted its context",
    ...opus,
    usage: {
      input_tokens: 12_000,
      output_tokens: 800,
      iterations: [
        { type: "compaction", input_tokens: 150_000, output_tokens: 2500 },
        { type: "message", input_tokens: 12_000, output_tokens: 800 },
      ],
    },
    expected: { tokens: { uncached: 162_000, output: 3300 }, costMicroUsd: 810_000 + 82_500 },
  },
  {
    name: "Anthropic whose iterations are not what stands above them",
    ...opus,
    usage: { input_tokens: 12_000, output_tokens: 800, iterations: [{ type: "message", input_tokens: 9000, output_tokens: 800 }] },
    expected: { anomaly: "parts_do_not_sum" },
  },
  {
    name: "Anthropic with an advisor of another price",
    ...opus,
    usage: {
      input_tokens: 12_000,
      output_tokens: 800,
      iterations: [{ type: "advisor_message", input_tokens: 12_000, output_tokens: 800 }],
    },
    expected: { anomaly: "unread_count" },
  },
  {
    name: "Bedrock Converse",
    ...sonnet,
    usage: { inputTokens: 210, outputTokens: 620, totalTokens: 35_830, cacheReadInputTokens: 31_000, cacheWriteInputTokens: 4000 },
    expected: cachedTurn,
  },
  {
    name: "Bedrock Converse with writes by lifetime",
    ...sonnet,
    usage: {
      inputTokens: 210,
      outputTokens: 620,
      totalTokens: 35_830,
      cacheReadInputTokens: 31_000,
      cacheWriteInputTokens: 4000,
      cacheDetails: [{ ttl: "1h", inputTokens: 4000 }],
    },
    expected: hourTurn,
  },
  {
    name: "LangChain of Anthropic",
    ...sonnet,
    usage: {
      input_tokens: 35_210,
      output_tokens: 620,
      total_tokens: 35_830,
      input_token_details: { cache_read: 31_000, cache_creation: 4000 },
    },
    expected: cachedTurn,
  },
  {
    name: "LangChain of Anthropic with writes by lifetime",
    ...sonnet,
    usage: {
      input_tokens: 35_210,
      output_tokens: 620,
      total_tokens: 35_830,
      input_token_details: { cache_read: 31_000, cache_creation: 0, ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 4000 },
    },
    expected: hourTurn,
  },
  {
    name: "LangChain of OpenAI",
    ...gpt5,
    usage: {
      input_tokens: 7500,
      output_tokens: 900,
      total_tokens: 8400,
      input_token_details: { audio: 0, cache_read: 6000 },
      output_token_details: { audio: 0, reasoning: 400 },
    },
    expected: reasonedTurn,
  },
  {
    name: "LiteLLM of Anthropic",
    ...sonnet,
    usage: {
      prompt_tokens: 35_210,
      completion_tokens: 620,
      total_tokens: 35_830,
      prompt_tokens_details: { cached_tokens: 31_000, cache_creation_tokens: 4000, text_tokens: 210 },
      completion_tokens_details: null,
      cache_read_input_tokens: 31_000,
      cache_creation_input_tokens: 4000,
    },
    expected: cachedTurn,
  },
  {
    name: "LiteLLM of Anthropic with writes by lifetime",
    ...sonnet,
    usage: {
      prompt_tokens: 35_210,
      completion_tokens: 620,
      total_tokens: 35_830,
      prompt_tokens_details: {
        cached_tokens: 31_000,
        cache_creation_tokens: 4000,
        cache_creation_token_details: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 4000 },
      },
    },
    expected: hourTurn,
  },
  {
    name: "AI SDK 5 of Anthropic, less cached than sent",
    ...sonnet,
    usage: { inputTokens: 35_000, outputTokens: 620, totalTokens: 35_620, cachedInputTokens: 31_000 },
    expected: { anomaly: "ambiguous_shape" },
  },
  {
    name: "AI SDK 5 of Anthropic, more cached than sent",
    ...sonnet,
    usage: { inputTokens: 210, outputTokens: 620, totalTokens: 830, cachedInputTokens: 31_000 },
    expected: { anomaly: "ambiguous_shape" },
  },
  {
    name: "AI SDK 5 of OpenAI",
    ...gpt5,
    usage: { inputTokens: 7500, outputTokens: 900, totalTokens: 8400, reasoningTokens: 400, cachedInputTokens: 6000 },
    expected: reasonedTurn,
  },
  {
    name: "AI SDK 6 of Anthropic",
    ...sonnet,
    usage: {
      inputTokens: 35_210,
      inputTokenDetails: { noCacheTokens: 210, cacheReadTokens: 31_000, cacheWriteTokens: 4000 },
      outputTokens: 620,
      outputTokenDetails: {},
      totalTokens: 35_830,
      cachedInputTokens: 31_000,
      raw: {
        input_tokens: 210,
        cache_read_input_tokens: 31_000,
        cache_creation_input_tokens: 4000,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 4000 },
        output_tokens: 620,
      },
    },
    expected: hourTurn,
  },
  {
    name: "AI SDK 6 whose counts are not the provider's",
    ...sonnet,
    usage: {
      inputTokens: 35_210,
      inputTokenDetails: { noCacheTokens: 35_210 },
      outputTokens: 620,
      raw: { input_tokens: 210, cache_read_input_tokens: 31_000, cache_creation_input_tokens: 4000, output_tokens: 620 },
    },
    expected: { anomaly: "parts_do_not_sum" },
  },
  {
    name: "AI SDK's provider specification",
    ...sonnet,
    usage: { inputTokens: { total: 35_210, noCache: 210, cacheRead: 31_000, cacheWrite: 4000 }, outputTokens: { total: 620, text: 620 } },
    expected: cachedTurn,
  },
  {
    name: "AI SDK 7, perhaps several steps, above the size of another price",
    provider: "openai",
    model: "gpt-5.6-terra",
    usage: { inputTokens: 280_000, inputTokenDetails: { noCacheTokens: 280_000 }, outputTokens: 2000, totalTokens: 282_000 },
    expected: { tokens: { uncached: 280_000, output: 2000 }, unpriced: "unknown_step_price" },
  },
  {
    name: "AI SDK 7 of one request above the size of another price",
    provider: "openai",
    model: "gpt-5.6-terra",
    usage: {
      inputTokens: 280_000,
      inputTokenDetails: { noCacheTokens: 280_000 },
      outputTokens: 2000,
      totalTokens: 282_000,
      raw: { prompt_tokens: 280_000, completion_tokens: 2000, total_tokens: 282_000 },
    },
    expected: { tokens: { uncached: 280_000, output: 2000 }, costMicroUsd: 1_120_000 + 36_000 },
  },
  {
    name: "AI SDK 4",
    ...gpt5,
    usage: { promptTokens: 7500, completionTokens: 900, totalTokens: 8400 },
    expected: { anomaly: "ambiguous_shape" },
  },
  {
    name: "OpenAI Chat",
    ...gpt5,
    usage: {
      prompt_tokens: 7500,
      completion_tokens: 900,
      total_tokens: 8400,
      prompt_tokens_details: { cached_tokens: 6000, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 400, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
      service_tier: "default",
    },
    expected: reasonedTurn,
  },
  {
    name: "OpenAI Chat with sound",
    provider: "openai",
    model: "gpt-4o",
    usage: {
      prompt_tokens: 800,
      completion_tokens: 300,
      total_tokens: 1100,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 700 },
      completion_tokens_details: { audio_tokens: 250, reasoning_tokens: 0 },
    },
    expected: { tokens: { uncached: 800, output: 300 }, unpriced: "unknown_modality_price" },
  },
  {
    name: "OpenAI Chat with an unknown word",
    ...gpt5,
    usage: { prompt_tokens: 7500, completion_tokens: 900, total_tokens: 8400, turbo: true },
    expected: { tokens: { uncached: 7500, output: 900 }, unpriced: "unknown_modifier" },
  },
  {
    name: "OpenAI Responses",
    ...gpt5,
    usage: {
      input_tokens: 7500,
      input_tokens_details: { cached_tokens: 6000 },
      output_tokens: 900,
      output_tokens_details: { reasoning_tokens: 400 },
      total_tokens: 8400,
    },
    expected: reasonedTurn,
  },
  {
    name: "a prompt above the step",
    provider: "openai",
    model: "gpt-5.6-terra",
    usage: { prompt_tokens: 280_000, completion_tokens: 2000, total_tokens: 282_000 },
    expected: { tokens: { uncached: 280_000, output: 2000 }, costMicroUsd: 1_120_000 + 36_000 },
  },
  {
    name: "reasoning beside the completion",
    ...gpt5,
    usage: { prompt_tokens: 1500, completion_tokens: 300, total_tokens: 2400, completion_tokens_details: { reasoning_tokens: 600 } },
    expected: { tokens: { uncached: 1500, output: 900, reasoning: 600 }, costMicroUsd: 1875 + 9000 },
  },
  {
    name: "xAI",
    provider: "xai",
    model: "grok-4",
    usage: { prompt_tokens: 150, completion_tokens: 400, total_tokens: 800, completion_tokens_details: { reasoning_tokens: 250 } },
    expected: { tokens: { uncached: 150, output: 650, reasoning: 250 }, unpriced: "unknown_model" },
  },
  {
    name: "xAI without a total",
    provider: "xai",
    model: "grok-4",
    usage: { prompt_tokens: 150, completion_tokens: 400, completion_tokens_details: { reasoning_tokens: 250 } },
    expected: { anomaly: "ambiguous_shape" },
  },
  {
    name: "DeepSeek",
    provider: "deepseek",
    model: "deepseek-chat",
    usage: { prompt_tokens: 1200, completion_tokens: 60, total_tokens: 1260, prompt_cache_hit_tokens: 1000, prompt_cache_miss_tokens: 200 },
    expected: { tokens: { uncached: 200, read: 1000, output: 60 }, unpriced: "unknown_model" },
  },
  {
    name: "DeepSeek's keys of another provider",
    ...gpt5,
    usage: {
      prompt_tokens: 7500,
      completion_tokens: 900,
      total_tokens: 8400,
      prompt_cache_hit_tokens: 6000,
      prompt_cache_miss_tokens: 1500,
    },
    expected: { tokens: { uncached: 1500, read: 6000, output: 900 }, costMicroUsd: 1875 + 750 + 9000 },
  },
  {
    name: "Kimi, cached tokens at the top",
    ...gpt5,
    usage: { prompt_tokens: 7500, completion_tokens: 900, total_tokens: 8400, cached_tokens: 6000 },
    expected: { tokens: { uncached: 1500, read: 6000, output: 900 }, costMicroUsd: 1875 + 750 + 9000 },
  },
  {
    name: "two counts of cached tokens that differ",
    ...gpt5,
    usage: { prompt_tokens: 7500, completion_tokens: 900, cached_tokens: 6000, prompt_tokens_details: { cached_tokens: 10 } },
    expected: { anomaly: "parts_do_not_sum" },
  },
  {
    name: "Gemini",
    ...flash,
    usage: {
      promptTokenCount: 1100,
      cachedContentTokenCount: 700,
      candidatesTokenCount: 80,
      thoughtsTokenCount: 220,
      toolUsePromptTokenCount: 30,
      totalTokenCount: 1430,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 1100 }],
      trafficType: "ON_DEMAND",
    },
    expected: { tokens: { uncached: 430, read: 700, output: 300, reasoning: 220 }, unpriced: "unknown_model" },
  },
  {
    name: "Gemini in Python's names",
    ...flash,
    usage: { prompt_token_count: 1100, candidates_token_count: 80, thoughts_token_count: 220, total_token_count: 1400 },
    expected: { tokens: { uncached: 1100, output: 300, reasoning: 220 }, unpriced: "unknown_model" },
  },
  {
    name: "Gemini whose details are not the prompt",
    ...flash,
    usage: {
      promptTokenCount: 1100,
      candidatesTokenCount: 80,
      totalTokenCount: 1180,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 11 }],
    },
    expected: { anomaly: "parts_do_not_sum" },
  },
  {
    name: "Gemini in OpenAI's form",
    ...flash,
    usage: { prompt_tokens: 1100, completion_tokens: 80, total_tokens: 1400 },
    expected: { tokens: { uncached: 1100, output: 300, reasoning: 220 }, unpriced: "unknown_model" },
  },
  {
    name: "Gemini's counts of another provider",
    ...sonnet,
    usage: { promptTokenCount: 1100, candidatesTokenCount: 80, totalTokenCount: 1180 },
    expected: { anomaly: "provider_mismatch" },
  },
  {
    name: "Mistral's client",
    provider: "mistral_ai",
    model: "mistral-large-latest",
    usage: { promptTokens: 140, completionTokens: 30, totalTokens: 170 },
    expected: { tokens: { uncached: 140, output: 30 }, unpriced: "unknown_model" },
  },
  {
    name: "Cohere",
    provider: "cohere",
    model: "command-a-03-2025",
    usage: { billed_units: { input_tokens: 12, output_tokens: 30 }, tokens: { input_tokens: 210, output_tokens: 32 } },
    expected: { tokens: { uncached: 12, output: 30 }, unpriced: "unknown_model" },
  },
  {
    name: "Cohere's client",
    provider: "cohere",
    model: "command-a-03-2025",
    usage: { billedUnits: { inputTokens: 12, outputTokens: 30 }, tokens: { inputTokens: 210, outputTokens: 32 } },
    expected: { tokens: { uncached: 12, output: 30 }, unpriced: "unknown_model" },
  },
  {
    name: "Ollama",
    provider: "ollama",
    model: "llama3.2",
    usage: {
      total_duration: 5_191_566_416,
      load_duration: 2_154_458,
      prompt_eval_count: 26,
      eval_count: 298,
      eval_duration: 4_799_921_000,
    },
    expected: { tokens: { uncached: 26, output: 298 }, unpriced: "unknown_model" },
  },
  {
    name: "embeddings",
    provider: "openai",
    model: "text-embedding-3-small",
    usage: { prompt_tokens: 5000, total_tokens: 5000 },
    expected: { tokens: { uncached: 5000 }, costMicroUsd: 100 },
  },
  {
    name: "OpenTelemetry",
    ...sonnet,
    usage: {
      "gen_ai.request.model": "claude-sonnet-4-5",
      "gen_ai.usage.input_tokens": 35_210,
      "gen_ai.usage.output_tokens": 620,
      "gen_ai.usage.cache_read.input_tokens": 31_000,
      "gen_ai.usage.cache_creation.input_tokens": 4000,
    },
    expected: cachedTurn,
  },
  {
    name: "OpenLLMetry",
    ...sonnet,
    usage: {
      "gen_ai.usage.prompt_tokens": 35_210,
      "gen_ai.usage.completion_tokens": 620,
      "llm.usage.total_tokens": 35_830,
      "gen_ai.usage.cache_read_input_tokens": 31_000,
      "gen_ai.usage.cache_creation_input_tokens": 4000,
    },
    expected: cachedTurn,
  },
  {
    name: "OpenLLMetry of Anthropic, whose versions count differently",
    ...sonnet,
    usage: {
      "gen_ai.usage.input_tokens": 20_000,
      "gen_ai.usage.output_tokens": 500,
      "gen_ai.usage.total_tokens": 20_500,
      "gen_ai.usage.cache_read.input_tokens": 15_000,
      "gen_ai.response.finish_reasons": ["stop"],
    },
    expected: { anomaly: "ambiguous_shape" },
  },
  {
    name: "an instrumentation with the older cache key",
    ...sonnet,
    usage: { "gen_ai.usage.input_tokens": 31_210, "gen_ai.usage.output_tokens": 620, "gen_ai.usage.cache_read_input_tokens": 31_000 },
    expected: { tokens: { uncached: 210, read: 31_000, output: 620 }, costMicroUsd: 630 + 9300 + 9300 },
  },
  {
    name: "an instrumentation with a cache key of its own",
    ...sonnet,
    usage: { "gen_ai.usage.input_tokens": 31_210, "gen_ai.usage.output_tokens": 620, "gen_ai.usage.cachedTokens": 31_000 },
    expected: { anomaly: "unread_count" },
  },
  {
    name: "pydantic-ai's spans",
    ...sonnet,
    usage: {
      "gen_ai.usage.input_tokens": 35_210,
      "gen_ai.usage.output_tokens": 620,
      "gen_ai.usage.details.input_tokens": 210,
      "gen_ai.usage.details.output_tokens": 620,
      "gen_ai.usage.details.cache_read_tokens": 31_000,
      "gen_ai.usage.details.cache_write_tokens": 4000,
    },
    expected: cachedTurn,
  },
  {
    name: "pydantic-ai",
    ...sonnet,
    usage: {
      input_tokens: 35_210,
      cache_write_tokens: 4000,
      cache_read_tokens: 31_000,
      output_tokens: 620,
      input_audio_tokens: 0,
      cache_audio_read_tokens: 0,
      output_audio_tokens: 0,
      details: { input_tokens: 210, output_tokens: 620, cache_read_input_tokens: 31_000, cache_creation_input_tokens: 4000 },
    },
    expected: cachedTurn,
  },
  {
    name: "our own partition",
    ...sonnet,
    usage: { uncached: 210, read: 31_000, write5m: 4000, output: 620 },
    expected: cachedTurn,
  },
];
