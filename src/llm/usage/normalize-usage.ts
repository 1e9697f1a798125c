import { z } from "zod";
import { type TokenPartition, type UsageShape, usageShapes } from "../../../packages/sdk/src/wire/usage.ts";
import { anomaly, type ClaimedUsage, type PartitionResult, partitionOf } from "./token-partition.ts";

const count = z.number().nullish();
const tier = z.string().nullish();

const anthropic = z.object({
  input_tokens: z.number(),
  output_tokens: z.number(),
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
  cache_creation: z.object({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count }).nullish(),
  output_tokens_details: z.object({ thinking_tokens: count, reasoning_tokens: count }).nullish(),
  service_tier: tier,
});

const openAiCache = z.object({
  cached_tokens: count,
  cache_write_tokens: count,
  cache_write_tokens_details: z.object({ ttl_30m_tokens: count, ttl_12h_tokens: count }).nullish(),
});

const openAiChat = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  prompt_tokens_details: openAiCache.nullish(),
  completion_tokens_details: z.object({ reasoning_tokens: count }).nullish(),
  service_tier: tier,
});

const openAiResponses = z.object({
  input_tokens: z.number(),
  output_tokens: z.number(),
  input_tokens_details: openAiCache.nullish(),
  output_tokens_details: z.object({ reasoning_tokens: count }).nullish(),
  service_tier: tier,
});

const aiSdk = z.object({
  inputTokens: count,
  outputTokens: count,
  inputTokenDetails: z.object({ noCacheTokens: count, cacheReadTokens: count, cacheWriteTokens: count }).nullish(),
  outputTokenDetails: z.object({ textTokens: count, reasoningTokens: count }).nullish(),
  reasoningTokens: count,
  cachedInputTokens: count,
  raw: z.unknown().optional(),
});

const aiSdkProvider = z.object({
  inputTokens: z.object({ total: count, noCache: count, cacheRead: count, cacheWrite: count }),
  outputTokens: z.object({ total: count, text: count, reasoning: count }),
  raw: z.unknown().optional(),
});

const otel = z.object({
  "gen_ai.usage.input_tokens": z.number(),
  "gen_ai.usage.output_tokens": z.number(),
  "gen_ai.usage.cache_read.input_tokens": count,
  "gen_ai.usage.cache_creation.input_tokens": count,
  "gen_ai.usage.cache_write.input_tokens": count,
  "gen_ai.usage.reasoning.output_tokens": count,
});

const partition = z.strictObject({
  uncached: z.number(),
  read: z.number().default(0),
  write5m: z.number().default(0),
  write30m: z.number().default(0),
  write1h: z.number().default(0),
  write12h: z.number().default(0),
  output: z.number(),
  reasoning: z.number().default(0),
} satisfies { readonly [Part in keyof TokenPartition]: z.ZodType });

const readers: { readonly [Shape in UsageShape]: (usage: unknown, provider: string) => ClaimedUsage | undefined } = {
  "anthropic-messages": (usage) => {
    const parsed = anthropic.safeParse(usage);
    if (!parsed.success) return undefined;
    const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens, cache_creation, service_tier } = parsed.data;
    const byLifetime = cache_creation ?? undefined;
    const write5m = byLifetime?.ephemeral_5m_input_tokens ?? 0;
    const write1h = byLifetime?.ephemeral_1h_input_tokens ?? 0;
    const written = cache_creation_input_tokens ?? write5m + write1h;
    const read = cache_read_input_tokens ?? 0;
    return {
      // input_tokens is the uncached remainder only; the total is asserted against the breakdown by lifetime where there is one.
      inputTotal: input_tokens + read + written,
      uncached: input_tokens,
      read,
      ...(byLifetime === undefined ? { write5m: written } : { write5m, write1h }),
      output: output_tokens,
      reasoning: parsed.data.output_tokens_details?.thinking_tokens ?? parsed.data.output_tokens_details?.reasoning_tokens ?? 0,
      ...tierOf(service_tier),
    };
  },
  "openai-chat": (usage) => {
    const parsed = openAiChat.safeParse(usage);
    if (!parsed.success) return undefined;
    return {
      inputTotal: parsed.data.prompt_tokens,
      ...openAiCacheOf(parsed.data.prompt_tokens, parsed.data.prompt_tokens_details),
      output: parsed.data.completion_tokens,
      reasoning: parsed.data.completion_tokens_details?.reasoning_tokens ?? 0,
      ...tierOf(parsed.data.service_tier),
    };
  },
  "openai-responses": (usage) => {
    const parsed = openAiResponses.safeParse(usage);
    if (!parsed.success) return undefined;
    return {
      inputTotal: parsed.data.input_tokens,
      ...openAiCacheOf(parsed.data.input_tokens, parsed.data.input_tokens_details),
      output: parsed.data.output_tokens,
      reasoning: parsed.data.output_tokens_details?.reasoning_tokens ?? 0,
      ...tierOf(parsed.data.service_tier),
    };
  },
  "ai-sdk": (usage, provider) => {
    const parsed = aiSdk.safeParse(usage);
    if (!parsed.success) return undefined;
    const { inputTokens, outputTokens, inputTokenDetails, outputTokenDetails, reasoningTokens, cachedInputTokens, raw } = parsed.data;
    if (inputTokens === null || inputTokens === undefined || outputTokens === null || outputTokens === undefined) return undefined;
    return {
      inputTotal: inputTokens,
      ...uncached(inputTokenDetails?.noCacheTokens),
      read: inputTokenDetails?.cacheReadTokens ?? cachedInputTokens ?? 0,
      ...writesOf(inputTokenDetails?.cacheWriteTokens ?? 0, raw, provider),
      output: outputTokens,
      reasoning: outputTokenDetails?.reasoningTokens ?? reasoningTokens ?? 0,
    };
  },
  "ai-sdk-provider": (usage, provider) => {
    const parsed = aiSdkProvider.safeParse(usage);
    if (!parsed.success) return undefined;
    const { inputTokens, outputTokens, raw } = parsed.data;
    if (outputTokens.total === null || outputTokens.total === undefined) return undefined;
    return {
      ...total(inputTokens.total),
      ...uncached(inputTokens.noCache),
      read: inputTokens.cacheRead ?? 0,
      ...writesOf(inputTokens.cacheWrite ?? 0, raw, provider),
      output: outputTokens.total,
      reasoning: outputTokens.reasoning ?? 0,
    };
  },
  otel: (usage, provider) => {
    const parsed = otel.safeParse(usage);
    if (!parsed.success) return undefined;
    const written = parsed.data["gen_ai.usage.cache_write.input_tokens"] ?? parsed.data["gen_ai.usage.cache_creation.input_tokens"] ?? 0;
    return {
      inputTotal: parsed.data["gen_ai.usage.input_tokens"],
      read: parsed.data["gen_ai.usage.cache_read.input_tokens"] ?? 0,
      ...writesOf(written, undefined, provider),
      output: parsed.data["gen_ai.usage.output_tokens"],
      reasoning: parsed.data["gen_ai.usage.reasoning.output_tokens"] ?? 0,
    };
  },
  partition: (usage) => {
    const parsed = partition.safeParse(usage);
    return parsed.success ? parsed.data : undefined;
  },
};

/**
 * One partition from a usage object as a provider or library wrote it. `provider` is OTel's name and decides only what the object leaves open.
 * Without a shape it is recognized by its keys; an object that two shapes fit is an anomaly, never a guess.
 */
export function normalizeUsage(usage: unknown, provider: string, shape?: UsageShape): PartitionResult {
  if (usage === undefined || usage === null) return anomaly("missing_usage", "there is no usage object");
  const recognized = shape === undefined ? recognize(usage, provider) : { shape };
  if (!("shape" in recognized)) return recognized;
  const claimed = readers[recognized.shape](usage, provider);
  if (claimed === undefined) return anomaly("missing_count", `the object lacks a count that ${recognized.shape} has`);
  return partitionOf(claimed);
}

function recognize(usage: unknown, provider: string): PartitionResult | { readonly shape: UsageShape } {
  if (typeof usage !== "object" || usage === null || Array.isArray(usage)) return anomaly("unrecognised_shape", "the usage is no object");
  const has = (key: string) => Object.hasOwn(usage, key);
  if (has("uncached")) return { shape: "partition" };
  if (has("prompt_tokens")) return { shape: "openai-chat" };
  if (has("gen_ai.usage.input_tokens")) return { shape: "otel" };
  if (has("inputTokens")) {
    const tokens: unknown = Object.entries(usage).find(([key]) => key === "inputTokens")?.[1];
    return { shape: typeof tokens === "object" && tokens !== null ? "ai-sdk-provider" : "ai-sdk" };
  }
  if (has("input_tokens")) {
    // The same key means the uncached remainder at Anthropic and the whole prompt at OpenAI.
    const anthropicKeys = has("cache_read_input_tokens") || has("cache_creation_input_tokens") || has("cache_creation");
    const responsesKeys = has("input_tokens_details") || has("total_tokens");
    if (anthropicKeys !== responsesKeys) return { shape: anthropicKeys ? "anthropic-messages" : "openai-responses" };
    if (provider === "anthropic") return { shape: "anthropic-messages" };
    if (provider === "openai" || provider === "azure.ai.openai") return { shape: "openai-responses" };
    return anomaly(
      "ambiguous_shape",
      `input_tokens of provider ${provider.slice(0, 40)} may or may not hold cached tokens; name the shape`,
    );
  }
  return anomaly("unrecognised_shape", `known shapes are ${usageShapes.join(", ")}`);
}

function openAiCacheOf(total: number, details: z.output<typeof openAiCache> | null | undefined): Partial<ClaimedUsage> {
  const read = details?.cached_tokens ?? 0;
  const written = details?.cache_write_tokens ?? 0;
  const byLifetime = details?.cache_write_tokens_details ?? undefined;
  if (byLifetime === undefined) return { read, write30m: written };
  const remainingTokens = total - read - written;
  return {
    read,
    write30m: byLifetime.ttl_30m_tokens ?? 0,
    write12h: byLifetime.ttl_12h_tokens ?? 0,
    // Named, so that a breakdown which does not sum to what was written fails the invariant.
    ...(remainingTokens < 0 ? {} : { uncached: remainingTokens }),
  };
}

/** Libraries give one sum of writes; the provider's raw object, where it is there, says for how long. */
function writesOf(written: number, raw: unknown, provider: string): Partial<ClaimedUsage> {
  const split = z.object({ cache_creation: anthropic.shape.cache_creation }).safeParse(raw);
  const byLifetime = split.success ? split.data.cache_creation : undefined;
  const write5m = byLifetime?.ephemeral_5m_input_tokens ?? 0;
  const write1h = byLifetime?.ephemeral_1h_input_tokens ?? 0;
  if (write5m + write1h === written) return { write5m, write1h };
  return provider === "openai" || provider === "azure.ai.openai" ? { write30m: written } : { write5m: written };
}

function tierOf(tier: string | null | undefined): { serviceTier?: string } {
  return tier === null || tier === undefined ? {} : { serviceTier: tier };
}

function total(value: number | null | undefined): { readonly inputTotal?: number } {
  return value === null || value === undefined ? {} : { inputTotal: value };
}

function uncached(value: number | null | undefined): { readonly uncached?: number } {
  return value === null || value === undefined ? {} : { uncached: value };
}
