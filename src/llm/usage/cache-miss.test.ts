import { describe, expect, it } from "@jest/globals";
import { aBlock } from "../../../test/builders/a-prefix-sample.ts";
import { cacheMissOf, readDiagnostics } from "./cache-miss.ts";
import { noTokens } from "./token-partition.ts";

describe("readDiagnostics", () => {
  it.each([
    ["nothing", undefined, { kind: "none" }],
    ["Anthropic's no divergence", null, { kind: "clean" }],
    ["a comparison that goes on", { cache_miss_reason: null }, { kind: "none" }],
    [
      "Anthropic's earliest divergence",
      { cache_miss_reason: { type: "system_changed", cache_missed_input_tokens: 1200 } },
      { kind: "miss", miss: { reason: "system_changed", missedTokens: 1200 } },
    ],
    [
      "a message that Anthropic no longer knows",
      { cache_miss_reason: { type: "previous_message_not_found" } },
      { kind: "miss", miss: { reason: "previous_not_found" } },
    ],
    ["OpenAI's hit", { type: "cache_hit" }, { kind: "clean" }],
    [
      "OpenAI's miss",
      { type: "cache_miss", reason: "verbosity_changed", cache_missed_tokens: 5 },
      { kind: "miss", miss: { reason: "verbosity_changed", missedTokens: 5 } },
    ],
    ["OpenAI without a verdict", { type: "comparison_response_not_found" }, { kind: "miss", miss: { reason: "previous_not_found" } }],
    ["a reason of tomorrow", { cache_miss_reason: { type: "moon_phase" } }, { kind: "miss", miss: { reason: "other" } }],
    ["something else", "well", { kind: "none" }],
  ])("reads %s", (_, value, expected) => expect(readDiagnostics(value)).toEqual(expected));
});

describe("cacheMissOf", () => {
  const clean = { kind: "clean" } as const;
  const prefix = { blocks: [aBlock("guide", 700, { mark: "5m" }), aBlock("question", 50, { role: "user" })] };

  it("takes the provider's word first", () => {
    const miss = { reason: "tools_changed" } as const;
    expect(cacheMissOf({ tokens: { ...noTokens, read: 9 }, turn: 1, diagnosis: { kind: "miss", miss } })).toBe(miss);
  });

  it("sees a marker that cached nothing as a prefix below the minimum", () => {
    expect(cacheMissOf({ tokens: { ...noTokens, uncached: 750 }, turn: 0, diagnosis: { kind: "none" }, prefix })).toEqual({
      reason: "below_minimum",
      missedTokens: 700,
    });
    expect(cacheMissOf({ tokens: { ...noTokens, uncached: 750 }, turn: 0, diagnosis: clean })).toBeUndefined();
  });

  it("sees a prompt that did not diverge and was written again as expired, from the second turn on", () => {
    const tokens = { ...noTokens, write5m: 700, uncached: 50 };
    expect(cacheMissOf({ tokens, turn: 3, diagnosis: clean, prefix })).toEqual({ reason: "ttl_expired", missedTokens: 700 });
    expect(cacheMissOf({ tokens, turn: 0, diagnosis: clean, prefix })).toBeUndefined();
    expect(cacheMissOf({ tokens, turn: 3, diagnosis: { kind: "none" }, prefix })).toBeUndefined();
  });

  it("finds nothing wrong with a read", () => {
    expect(cacheMissOf({ tokens: { ...noTokens, read: 700, uncached: 50 }, turn: 3, diagnosis: clean, prefix })).toBeUndefined();
  });
});
