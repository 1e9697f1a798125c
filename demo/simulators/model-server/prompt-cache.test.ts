import { describe, expect, it } from "@jest/globals";
import { array, assert, constantFrom, property, tuple } from "fast-check";
import type { CacheTtl, PromptBlock } from "./prompt-blocks.ts";
import { createPromptCache } from "./prompt-cache.ts";

const ttlMs = { "5m": 300_000, "1h": 3_600_000 };

/** Blocks of 100 tokens each; the letters are their content, a following `!` is a 5 m breakpoint, `?` a 1 h one. */
function blocksOf(text: string): PromptBlock[] {
  let prefix = "";
  return [...text.matchAll(/(\w)([!?]?)/g)].map(([, letter = "", mark], index) => {
    prefix += letter;
    const breakpoint: { breakpoint?: CacheTtl } = mark === "!" ? { breakpoint: "5m" } : mark === "?" ? { breakpoint: "1h" } : {};
    return { path: `messages.${index}`, prefixHash: prefix, prefixTokens: (index + 1) * 100, ...breakpoint };
  });
}

function createHarness() {
  const cache = createPromptCache(ttlMs);
  const ask = (text: string, now: number, { workspace = "w", firstMs = 0, min = 100 } = {}) => {
    const look = cache.lookup(workspace, blocksOf(text), min, now);
    cache.write(look, now + firstMs);
    return look.split;
  };
  return { cache, ask };
}

describe("the prompt cache", () => {
  it("writes up to the last breakpoint and reads it back", () => {
    const { ask } = createHarness();
    expect(ask("ab!c", 0)).toEqual({ uncached: 100, read: 0, write5m: 200, write1h: 0 });
    expect(ask("ab!d", 1)).toEqual({ uncached: 100, read: 200, write5m: 0, write1h: 0 });
  });

  it("reads the longest earlier write before a breakpoint and writes the rest", () => {
    const { ask } = createHarness();
    ask("ab!", 0);
    expect(ask("abcd!", 1)).toEqual({ uncached: 0, read: 200, write5m: 200, write1h: 0 });
  });

  it("misses when a byte before the breakpoint differs", () => {
    const { ask } = createHarness();
    ask("ab!", 0);
    expect(ask("xb!", 1).read).toBe(0);
  });

  it("looks at twenty positions and at no more, the breakpoint being the first", () => {
    const near = createHarness();
    near.ask("a!", 0);
    expect(near.ask(`a${"b".repeat(18)}c!`, 1).read).toBe(100);
    const far = createHarness();
    far.ask("a!", 0);
    expect(far.ask(`a${"b".repeat(19)}c!`, 1).read).toBe(0);
  });

  it("is readable only once the first response has started", () => {
    const { ask } = createHarness();
    ask("ab!", 0, { firstMs: 400 });
    expect(ask("ab!", 399, { firstMs: 400 }).read).toBe(0);
    expect(ask("ab!", 400).read).toBe(200);
  });

  it("forgets five minutes after the last use, and a read counts as use", () => {
    const { ask } = createHarness();
    ask("ab!", 0);
    expect(ask("ab!", 300_000).read).toBe(200);
    expect(ask("ab!", 600_000).read).toBe(200);
    expect(ask("ab!", 900_001).read).toBe(0);
  });

  it("keeps an hour's entry an hour and bills the two lifetimes apart", () => {
    const { ask } = createHarness();
    expect(ask("ab?cd!e", 0)).toEqual({ uncached: 100, read: 0, write1h: 200, write5m: 200 });
    expect(ask("ab?cd!e", 3_000_000)).toEqual({ uncached: 100, read: 200, write1h: 0, write5m: 200 });
  });

  it("processes a prefix under the model's minimum without caching and without an error", () => {
    const { ask, cache } = createHarness();
    expect(ask("ab!", 0, { min: 201 })).toEqual({ uncached: 200, read: 0, write5m: 0, write1h: 0 });
    expect(cache.size).toBe(0);
  });

  it("keeps workspaces apart", () => {
    const { ask } = createHarness();
    ask("ab!", 0, { workspace: "one" });
    expect(ask("ab!", 1, { workspace: "two" }).read).toBe(0);
  });

  it("always splits a prompt into parts that sum to it", () => {
    const letter = tuple(constantFrom("a", "b", "c"), constantFrom("", "", "!", "?"));
    const prompts = array(array(letter, { minLength: 1, maxLength: 30 }), { maxLength: 20 });
    assert(
      property(prompts, (sequence) => {
        const { ask } = createHarness();
        for (const [at, prompt] of sequence.entries()) {
          const split = ask(prompt.map((part) => part.join("")).join(""), at * 100_000);
          expect(split.uncached + split.read + split.write5m + split.write1h).toBe(prompt.length * 100);
          expect(Math.min(split.uncached, split.read, split.write5m, split.write1h)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
