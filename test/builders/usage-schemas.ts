import type { Random } from "../../src/core/random.ts";
import type { Flavor, Json } from "./usage-sample.ts";

/** How objects of one shape are made. */
interface UsageSchema {
  readonly schema: string;
  readonly provider: string;
  readonly model: string;
  readonly opinion?: Flavor;
  readonly create: (random: Random) => Json;
}

const count = (random: Random) => (random() < 0.15 ? 0 : 1 + Math.floor(random() * (random() < 0.1 ? 300_000 : 5000)));
const sonnet = { provider: "anthropic", model: "claude-sonnet-4-5-20250929" };
const gpt = { provider: "openai", model: "gpt-5" };

/** The parts of a request, from which each shape makes its own counts. */
function partsOf(random: Random) {
  const [uncached, read, written, text, reasoning] = [count(random), count(random), count(random), count(random), count(random)];
  return { uncached, read, written, text, reasoning, output: text + reasoning };
}

function chat(random: Random, more: (parts: ReturnType<typeof partsOf>) => Json = () => ({})): Json {
  const parts = partsOf(random);
  const { uncached, read, output, reasoning } = parts;
  return {
    prompt_tokens: uncached + read,
    completion_tokens: output,
    total_tokens: uncached + read + output,
    prompt_tokens_details: { cached_tokens: read, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
    ...more(parts),
  };
}

/** One of each shape, as its provider or library documents it. */
export const usageSchemas: readonly UsageSchema[] = [
  {
    schema: "anthropic-messages",
    ...sonnet,
    opinion: { id: "anthropic", flavor: "default" },
    create(random) {
      const { uncached, read, written, output } = partsOf(random);
      const hour = random() < 0.5 ? written : 0;
      return {
        input_tokens: uncached,
        cache_creation_input_tokens: written,
        cache_read_input_tokens: read,
        cache_creation: { ephemeral_5m_input_tokens: written - hour, ephemeral_1h_input_tokens: hour },
        output_tokens: output,
        service_tier: "standard",
        server_tool_use: { web_search_requests: random() < 0.3 ? 3 : 0 },
      };
    },
  },
  { schema: "openai-chat", ...gpt, opinion: { id: "openai", flavor: "chat" }, create: (random) => chat(random) },
  {
    schema: "openai-chat with writes",
    provider: "openai",
    model: "gpt-5.6-terra",
    opinion: { id: "openai", flavor: "chat" },
    create: (random) =>
      chat(random, ({ uncached, read, written, output }) => ({
        prompt_tokens: uncached + read + written,
        total_tokens: uncached + read + written + output,
        prompt_tokens_details: { cached_tokens: read, cache_write_tokens: written },
      })),
  },
  {
    schema: "openai-responses",
    ...gpt,
    opinion: { id: "openai", flavor: "responses" },
    create(random) {
      const { uncached, read, output, reasoning } = partsOf(random);
      return {
        input_tokens: uncached + read,
        input_tokens_details: { cached_tokens: read },
        output_tokens: output,
        output_tokens_details: { reasoning_tokens: reasoning },
        total_tokens: uncached + read + output,
      };
    },
  },
  {
    schema: "embeddings",
    provider: "openai",
    model: "text-embedding-3-small",
    opinion: { id: "openai", flavor: "embeddings" },
    create(random) {
      const tokens = count(random);
      return { prompt_tokens: tokens, total_tokens: tokens };
    },
  },
  {
    schema: "gemini",
    provider: "gcp.gemini",
    model: "gemini-2.5-flash",
    opinion: { id: "google", flavor: "default" },
    create(random) {
      const { uncached, read, text, reasoning } = partsOf(random);
      const tools = random() < 0.3 ? count(random) : 0;
      const [prompt, total] = [uncached + read, uncached + read + tools + text + reasoning];
      return {
        promptTokenCount: prompt,
        cachedContentTokenCount: read,
        candidatesTokenCount: text,
        thoughtsTokenCount: reasoning,
        toolUsePromptTokenCount: tools,
        totalTokenCount: total,
        promptTokensDetails: [{ modality: "TEXT", tokenCount: prompt }],
      };
    },
  },
  {
    schema: "xAI chat",
    provider: "x_ai",
    model: "grok-4",
    opinion: { id: "x-ai", flavor: "chat" },
    create: (random) =>
      chat(random, ({ uncached, read, text, reasoning }) => ({
        completion_tokens: text,
        total_tokens: uncached + read + text + reasoning,
      })),
  },
  {
    schema: "DeepSeek",
    provider: "deepseek",
    model: "deepseek-v3.2",
    opinion: { id: "deepseek", flavor: "chat" },
    create: (random) =>
      chat(random, ({ uncached, read, text }) => ({
        completion_tokens: text,
        total_tokens: uncached + read + text,
        completion_tokens_details: null,
        prompt_cache_hit_tokens: read,
        prompt_cache_miss_tokens: uncached,
      })),
  },
  {
    schema: "Kimi",
    provider: "moonshot_ai",
    model: "kimi-k2-0905-preview",
    opinion: { id: "moonshotai", flavor: "chat" },
    create(random) {
      const { uncached, read, text } = partsOf(random);
      return { prompt_tokens: uncached + read, completion_tokens: text, total_tokens: uncached + read + text, cached_tokens: read };
    },
  },
  {
    schema: "Mistral",
    provider: "mistral_ai",
    model: "mistral-large-latest",
    opinion: { id: "mistral", flavor: "default" },
    create(random) {
      const { uncached, text } = partsOf(random);
      return {
        prompt_tokens: uncached,
        completion_tokens: text,
        total_tokens: uncached + text,
        prompt_tokens_details: { cached_tokens: 0 },
      };
    },
  },
  {
    schema: "Cohere",
    provider: "cohere",
    model: "command-r-08-2024",
    opinion: { id: "cohere", flavor: "default" },
    create(random) {
      const { uncached, text } = partsOf(random);
      return {
        billed_units: { input_tokens: uncached, output_tokens: text },
        tokens: { input_tokens: uncached + 190, output_tokens: text + 2 },
      };
    },
  },
  {
    schema: "bedrock-converse",
    provider: "aws.bedrock",
    model: "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
    opinion: { id: "aws", flavor: "default" },
    create(random) {
      const { uncached, read, written, output } = partsOf(random);
      return {
        inputTokens: uncached,
        outputTokens: output,
        totalTokens: uncached + read + written + output,
        cacheReadInputTokens: read,
        cacheWriteInputTokens: written,
      };
    },
  },
  {
    schema: "langchain",
    ...sonnet,
    create(random) {
      const { uncached, read, written, output } = partsOf(random);
      const input = uncached + read + written;
      const details = { cache_read: read, cache_creation: written };
      return { input_tokens: input, output_tokens: output, total_tokens: input + output, input_token_details: details };
    },
  },
  {
    schema: "ai-sdk",
    ...gpt,
    create(random) {
      const { uncached, read, text, output, reasoning } = partsOf(random);
      return {
        inputTokens: uncached + read,
        inputTokenDetails: { noCacheTokens: uncached, cacheReadTokens: read, cacheWriteTokens: 0 },
        outputTokens: output,
        outputTokenDetails: { textTokens: text, reasoningTokens: reasoning },
        totalTokens: uncached + read + output,
        reasoningTokens: reasoning,
        cachedInputTokens: read,
      };
    },
  },
  {
    schema: "ai-sdk 5",
    ...gpt,
    create(random) {
      const { uncached, read, output, reasoning } = partsOf(random);
      const total = uncached + read + output;
      return {
        inputTokens: uncached + read,
        outputTokens: output,
        totalTokens: total,
        reasoningTokens: reasoning,
        cachedInputTokens: read,
      };
    },
  },
  {
    schema: "otel",
    ...sonnet,
    create(random) {
      const { uncached, read, written, output } = partsOf(random);
      return {
        "gen_ai.request.model": sonnet.model,
        "gen_ai.usage.input_tokens": uncached + read + written,
        "gen_ai.usage.output_tokens": output,
        "gen_ai.usage.cache_read.input_tokens": read,
        "gen_ai.usage.cache_creation.input_tokens": written,
      };
    },
  },
  {
    schema: "pydantic-ai",
    ...sonnet,
    create(random) {
      const { uncached, read, written, output } = partsOf(random);
      return {
        input_tokens: uncached + read + written,
        cache_write_tokens: written,
        cache_read_tokens: read,
        output_tokens: output,
        details: { input_tokens: uncached, output_tokens: output, cache_read_input_tokens: read, cache_creation_input_tokens: written },
      };
    },
  },
  {
    schema: "LiteLLM of Anthropic",
    ...sonnet,
    create: (random) =>
      chat(random, ({ uncached, read, written, output }) => ({
        prompt_tokens: uncached + read + written,
        total_tokens: uncached + read + written + output,
        prompt_tokens_details: { cached_tokens: read, cache_creation_tokens: written, text_tokens: uncached },
        completion_tokens_details: null,
        cache_read_input_tokens: read,
        cache_creation_input_tokens: written,
      })),
  },
];
