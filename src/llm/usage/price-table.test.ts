import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { costOf, createPriceTable, priceTableSchema } from "./price-table.ts";
import { shippedPrices } from "./prices.ts";
import { noTokens } from "./token-partition.ts";

const at = Date.UTC(2026, 8, 1);
const table = createPriceTable(shippedPrices);
const sonnet = table.find("anthropic", "claude-sonnet-4-5", at);

describe("PriceTable.find", () => {
  it("prices a dated id of a known model", () => {
    expect(table.find("anthropic", "claude-sonnet-4-5-20250929", at)).toBe(sonnet);
    expect(table.find("openai", "gpt-5-2025-08-07", at)?.model).toBe("gpt-5");
  });

  it.each(["gpt-5-ultra", "gpt-5.7", "gpt-50", "gpt"])("does not price %s as its shorter relative", (model) => {
    expect(table.find("openai", model, at)).toBeUndefined();
  });

  it("takes the longest id that is known", () => {
    expect(table.find("anthropic", "claude-opus-4-5-20251101", at)?.model).toBe("claude-opus-4-5");
    expect(table.find("anthropic", "claude-opus-4-20250514", at)?.model).toBe("claude-opus-4");
  });

  it("takes the price of the day", () => {
    const dated = createPriceTable([
      { provider: "p", model: "m", from: "2026-01-01", input: 1, output: 1 },
      { provider: "p", model: "m", from: "2026-02-01", input: 2, output: 2 },
    ]);
    expect(dated.find("p", "m", Date.UTC(2025, 11, 31))).toBeUndefined();
    expect(dated.find("p", "m", Date.UTC(2026, 0, 31))?.input).toBe(1);
    expect(dated.find("p", "m", Date.UTC(2026, 1, 1))?.input).toBe(2);
  });

  it("refuses two prices for one day", () => {
    const row = { provider: "p", model: "m", from: "2026-01-01", input: 1, output: 1 };
    expect(priceTableSchema.safeParse([row, row]).error?.issues[0]?.message).toContain("keep one");
  });
});

describe("costOf", () => {
  it("prices each part of the partition at its own price", () => {
    const tokens = { ...noTokens, uncached: 1000, read: 10_000, write5m: 1000, write1h: 1000, output: 100 };
    // 1000×3 + 10000×0.3 + 1000×3.75 + 1000×6 + 100×15, in micro-USD.
    expect(costOf(tokens, sonnet)).toEqual({ kind: "priced", costMicroUsd: 3000 + 3000 + 3750 + 6000 + 1500 });
  });

  it("halves everything in a batch", () => {
    expect(costOf({ ...noTokens, uncached: 1000 }, sonnet, "batch")).toEqual({ kind: "priced", costMicroUsd: 1500 });
  });

  it("rounds once per request, half up", () => {
    const row = priceTableSchema.parse([{ provider: "p", model: "m", from: "2026-01-01", input: 500_000, output: 500_000 }])[0];
    expect(costOf({ ...noTokens, uncached: 1 }, row)).toEqual({ kind: "priced", costMicroUsd: 1 });
    expect(costOf({ ...noTokens, uncached: 1, output: 1 }, row)).toEqual({ kind: "priced", costMicroUsd: 1 });
  });

  it("says unpriced rather than zero for a model, a tier or a kind of cache without a price", () => {
    expect(costOf({ ...noTokens, output: 1 }, undefined)).toEqual({ kind: "unpriced", reason: "unknown_model" });
    expect(costOf({ ...noTokens, output: 1 }, sonnet, "priority")).toEqual({ kind: "unpriced", reason: "unknown_tier" });
    expect(costOf({ ...noTokens, write12h: 1 }, sonnet)).toEqual({ kind: "unpriced", reason: "unknown_cache_price" });
  });

  it("is within half a micro-dollar of the exact sum, for the largest counts too", () => {
    const count = fc.integer({ min: 0, max: 10_000_000_000 });
    fc.assert(
      fc.property(count, count, count, (uncached, read, output) => {
        const reply = costOf({ ...noTokens, uncached, read, output }, sonnet);
        const exact = BigInt(uncached) * 3_000_000n + BigInt(read) * 300_000n + BigInt(output) * 15_000_000n;
        if (reply.kind !== "priced") throw new Error(reply.reason);
        const error = BigInt(reply.costMicroUsd) * 1_000_000n - exact;
        expect(error <= 500_000n && error >= -500_000n).toBe(true);
      }),
    );
  });
});
