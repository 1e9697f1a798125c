import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { TokenPartition } from "../../../packages/sdk/src/wire/usage.ts";
import { normalizeUsage } from "./normalize-usage.ts";
import { inputTokens, noTokens, type PartitionResult } from "./token-partition.ts";

const tokensOf = (reply: PartitionResult): TokenPartition => {
  if (reply.kind !== "tokens") throw new Error(`${reply.reason}: ${reply.detail}`);
  return reply.tokens;
};
const reasonOf = (reply: PartitionResult): string => (reply.kind === "anomaly" ? reply.reason : "none");

describe("normaliseUsage", () => {
  it("reads Anthropic Messages, where input_tokens is the uncached remainder only", () => {
    const reply = normalizeUsage(
      {
        input_tokens: 100,
        cache_read_input_tokens: 2000,
        cache_creation_input_tokens: 300,
        cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
        output_tokens: 50,
        service_tier: "batch",
      },
      "anthropic",
    );
    expect(tokensOf(reply)).toEqual({ ...noTokens, uncached: 100, read: 2000, write5m: 100, write1h: 200, output: 50 });
    expect(reply).toMatchObject({ terms: { serviceTier: "batch" } });
  });

  it("takes Anthropic's writes without a breakdown as five-minute writes", () => {
    const usage = { input_tokens: 1, cache_read_input_tokens: null, cache_creation_input_tokens: 7, output_tokens: 2 };
    expect(tokensOf(normalizeUsage(usage, "anthropic")).write5m).toBe(7);
  });

  it("refuses an Anthropic breakdown that does not sum to what was written", () => {
    const usage = {
      input_tokens: 1,
      cache_creation_input_tokens: 7,
      cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 3 },
      output_tokens: 2,
    };
    expect(reasonOf(normalizeUsage(usage, "anthropic"))).toBe("parts_do_not_sum");
  });

  it("reads OpenAI Chat, where the prompt's total includes what was cached", () => {
    const usage = {
      prompt_tokens: 1000,
      completion_tokens: 80,
      total_tokens: 1080,
      prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 100 },
      completion_tokens_details: { reasoning_tokens: 30 },
    };
    expect(tokensOf(normalizeUsage(usage, "openai"))).toEqual({
      ...noTokens,
      uncached: 300,
      read: 600,
      write30m: 100,
      output: 80,
      reasoning: 30,
    });
  });

  it("reads OpenAI Responses with writes by lifetime", () => {
    const usage = {
      input_tokens: 1000,
      output_tokens: 80,
      total_tokens: 1080,
      input_tokens_details: {
        cached_tokens: 600,
        cache_write_tokens: 100,
        cache_write_tokens_details: { ttl_30m_tokens: 40, ttl_12h_tokens: 60 },
      },
      output_tokens_details: { reasoning_tokens: 80 },
    };
    expect(tokensOf(normalizeUsage(usage, "openai"))).toEqual({
      ...noTokens,
      uncached: 300,
      read: 600,
      write30m: 40,
      write12h: 60,
      output: 80,
      reasoning: 80,
    });
  });

  it("refuses an OpenAI breakdown that does not sum to what was written", () => {
    const details = { cached_tokens: 0, cache_write_tokens: 100, cache_write_tokens_details: { ttl_30m_tokens: 1, ttl_12h_tokens: 1 } };
    expect(reasonOf(normalizeUsage({ prompt_tokens: 1000, completion_tokens: 1, prompt_tokens_details: details }, "openai"))).toBe(
      "parts_do_not_sum",
    );
  });

  it("reads the Vercel AI SDK's LanguageModelUsage, with lifetimes from the provider's raw object", () => {
    const usage = {
      inputTokens: 2400,
      inputTokenDetails: { noCacheTokens: 100, cacheReadTokens: 2000, cacheWriteTokens: 300 },
      outputTokens: 50,
      outputTokenDetails: { textTokens: 40, reasoningTokens: 10 },
      totalTokens: 2450,
      raw: { cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 300 } },
    };
    expect(tokensOf(normalizeUsage(usage, "anthropic"))).toEqual({
      ...noTokens,
      uncached: 100,
      read: 2000,
      write1h: 300,
      output: 50,
      reasoning: 10,
    });
  });

  it("reads the AI SDK's provider specification, where the counts are objects", () => {
    const usage = {
      inputTokens: { total: 2400, noCache: 100, cacheRead: 2000, cacheWrite: 300 },
      outputTokens: { total: 50, text: 50, reasoning: undefined },
    };
    expect(tokensOf(normalizeUsage(usage, "openai"))).toEqual({ ...noTokens, uncached: 100, read: 2000, write30m: 300, output: 50 });
    expect(tokensOf(normalizeUsage(usage, "anthropic")).write5m).toBe(300);
  });

  it("reads the attributes of an OpenTelemetry span", () => {
    const usage = { "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 3, "gen_ai.usage.cache_read.input_tokens": 4 };
    expect(tokensOf(normalizeUsage(usage, "anthropic"))).toEqual({ ...noTokens, uncached: 6, read: 4, output: 3 });
  });

  it.each([
    ["missing_usage", undefined],
    ["unrecognised_shape", "12 tokens"],
    ["unrecognised_shape", { tokens: 12 }],
    ["missing_count", { prompt_tokens: 5 }],
    ["missing_count", { inputTokens: undefined, outputTokens: 4 }],
    ["not_a_count", { prompt_tokens: -5, completion_tokens: 1 }],
    ["not_a_count", { prompt_tokens: 5.5, completion_tokens: 1 }],
    ["parts_exceed_total", { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 6 } }],
    [
      "parts_do_not_sum",
      { inputTokens: 10, inputTokenDetails: { noCacheTokens: 9, cacheReadTokens: 2, cacheWriteTokens: 0 }, outputTokens: 1 },
    ],
    ["reasoning_exceeds_output", { prompt_tokens: 5, completion_tokens: 1, completion_tokens_details: { reasoning_tokens: 2 } }],
  ])("names %s instead of guessing", (reason, usage) => {
    expect(reasonOf(normalizeUsage(usage, "openai"))).toBe(reason);
  });

  it("takes what two shapes read alike, and reads as the one that is named", () => {
    expect(tokensOf(normalizeUsage({ input_tokens: 5, output_tokens: 1 }, "elsewhere")).uncached).toBe(5);
    expect(tokensOf(normalizeUsage({ input_tokens: 5, output_tokens: 1 }, "elsewhere", "openai-responses")).uncached).toBe(5);
    expect(reasonOf(normalizeUsage({ input_tokens: 5, output_tokens: 1 }, "elsewhere", "openai-chat"))).toBe("unrecognised_shape");
  });

  it("yields parts that are never negative and sum to the prompt, or an anomaly, whatever comes in", () => {
    const anyCount = fc.option(fc.oneof(fc.integer({ min: -3, max: 2000 }), fc.double()), { nil: undefined });
    const anyUsage = fc.oneof(
      fc.record({
        prompt_tokens: anyCount,
        completion_tokens: anyCount,
        prompt_tokens_details: fc.record({ cached_tokens: anyCount, cache_write_tokens: anyCount }),
      }),
      fc.record({
        input_tokens: anyCount,
        output_tokens: anyCount,
        cache_read_input_tokens: anyCount,
        cache_creation_input_tokens: anyCount,
      }),
      fc.record({
        inputTokens: fc.record({ total: anyCount, noCache: anyCount, cacheRead: anyCount }),
        outputTokens: fc.record({ total: anyCount }),
      }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(anyUsage, fc.constantFrom("anthropic", "openai", "x"), (usage, provider) => {
        const reply = normalizeUsage(usage, provider);
        if (reply.kind === "anomaly") return;
        for (const part of Object.values(reply.tokens)) expect(Number.isInteger(part) && part >= 0).toBe(true);
        const total: unknown = Object.entries(Object(usage)).find(([key]) => key === "prompt_tokens")?.[1];
        expect(total === undefined || total === inputTokens(reply.tokens)).toBe(true);
      }),
    );
  });
});
