import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { costOf } from "./cost-of.ts";
import { createPriceTable, priceTableSchema } from "./price-table.ts";
import { shippedPrices } from "./prices.ts";
import { noTokens } from "./token-partition.ts";

const at = Date.UTC(2026, 8, 1);
const table = createPriceTable(shippedPrices);
const sonnet = table.find("anthropic", "claude-sonnet-4-6", at);

describe("PriceTable.find", () => {
  it("prices a dated id of a known model", () => {
    expect(table.find("anthropic", "claude-sonnet-4-6-20260217", at)).toBe(sonnet);
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

  it("never prices a dated model with a row of its own as its family, not even before that row holds", () => {
    expect(table.find("openai", "gpt-4o-2024-05-13", at)).toMatchObject({ input: 5_000_000, output: 15_000_000 });
    expect(table.find("openai", "gpt-4o-2024-08-06", at)).toMatchObject({ input: 2_500_000, output: 10_000_000 });
    const dated = createPriceTable([
      { provider: "p", model: "m", from: "2026-01-01", input: 1, output: 1 },
      { provider: "p", model: "m-20260301", from: "2026-03-01", until: "2026-04-01", input: 2, output: 2 },
    ]);
    expect(dated.find("p", "m-20260301", Date.UTC(2026, 1, 1))).toBeUndefined();
    expect(dated.find("p", "m-20260301", Date.UTC(2026, 2, 1))?.input).toBe(2);
    expect(dated.find("p", "m-20260301", Date.UTC(2026, 3, 1))).toBeUndefined();
  });

  it("takes prices of one's own before the shipped ones, on the days on which they hold", () => {
    const agreed = { provider: "openai", model: "gpt-5", from: "2026-03-01", until: "2026-06-01", input: 7, output: 7 };
    const overlaid = createPriceTable(shippedPrices, [
      agreed,
      { provider: "house", model: "own", from: "2026-01-01", input: 0, output: 0 },
    ]);
    expect(overlaid.find("openai", "gpt-5-2025-08-07", Date.UTC(2026, 4, 1))?.input).toBe(7);
    expect(overlaid.find("openai", "gpt-5", Date.UTC(2026, 1, 1))?.input).toBe(1_250_000);
    expect(overlaid.find("openai", "gpt-5", Date.UTC(2026, 5, 1))?.input).toBe(1_250_000);
    expect(overlaid.find("house", "own", at)).toMatchObject({ input: 0, output: 0 });
  });

  it("says where each shipped price was read, and follows its changes by day", () => {
    const inputOf = (model: string, day: string) => table.find("openai", model, Date.parse(day))?.input;
    expect([inputOf("gpt-5.6-terra", "2026-07-29"), inputOf("gpt-5.6-terra", "2026-07-30")]).toEqual([2_500_000, 2_000_000]);
    expect([inputOf("gpt-5.6-sol", "2026-08-20"), inputOf("gpt-5.6-sol", "2026-08-21")]).toEqual([5_000_000, 4_000_000]);
    // The earlier price does not come back when the later one ends.
    expect([inputOf("gpt-5.6-sol", "2026-11-21"), inputOf("gpt-5.6-sol", "2026-11-22")]).toEqual([4_000_000, undefined]);
    for (const { source } of shippedPrices) expect(source).toMatch(/^https:.*2026$/);
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
    expect(costOf({ ...noTokens, uncached: 1000 }, sonnet, { serviceTier: "batch" })).toEqual({ kind: "priced", costMicroUsd: 1500 });
  });

  it("multiplies tier, speed and geography, but not the price of a tool", () => {
    const row = priceTableSchema.parse([
      {
        provider: "p",
        model: "m",
        from: "2026-01-01",
        input: 1_000_000,
        output: 0,
        tiers: { batch: 50 },
        speeds: { fast: 300 },
        geographies: { us: 110 },
        tools: { web_search: 10_000_000 },
      },
    ])[0];
    const terms = { serviceTier: "batch", speed: "fast", geography: "us", tools: { web_search: 2 } };
    expect(costOf({ ...noTokens, uncached: 1000 }, row, terms)).toEqual({ kind: "priced", costMicroUsd: 1650 + 20_000 });
    expect(costOf({ ...noTokens, uncached: 1000 }, row, { geography: "moon" })).toMatchObject({ reason: "unknown_modifier" });
  });

  it("prices sound apart from text, and is unpriced without its price", () => {
    const base = { provider: "p", model: "m", from: "2026-01-01", input: 1_000_000, output: 2_000_000 };
    const [silent, spoken] = [base, { ...base, audio: { input: 10_000_000, output: 20_000_000 } }].map(
      (row) => priceTableSchema.parse([row])[0],
    );
    const tokens = { ...noTokens, uncached: 100, output: 10 };
    const terms = { audio: { input: 40, output: 4 } };
    expect(costOf(tokens, spoken, terms)).toEqual({ kind: "priced", costMicroUsd: 60 + 400 + 12 + 80 });
    expect(costOf(tokens, silent, terms)).toMatchObject({ reason: "unknown_modality_price" });
  });

  it("prices the whole request at the highest step that its prompt exceeds, and no sum of requests above a step", () => {
    const steps = [
      { above: 1000, input: 2_000_000, output: 1_000_000 },
      { above: 2000, input: 3_000_000, output: 1_000_000 },
    ];
    const row = priceTableSchema.parse([
      { provider: "p", model: "m", from: "2026-01-01", input: 1_000_000, cacheRead: 1, output: 1_000_000, steps },
    ])[0];
    const cost = (uncached: number, terms = {}) => costOf({ ...noTokens, uncached }, row, terms);
    expect([cost(1000), cost(1001), cost(2001)]).toMatchObject([{ costMicroUsd: 1000 }, { costMicroUsd: 2002 }, { costMicroUsd: 6003 }]);
    expect(cost(1000, { isSum: true })).toMatchObject({ costMicroUsd: 1000 });
    expect(cost(1001, { isSum: true })).toMatchObject({
      reason: "unknown_step_price",
      detail: expect.stringContaining("several requests"),
    });
    expect(costOf({ ...noTokens, read: 1001 }, row)).toMatchObject({ reason: "unknown_step_price" });
  });

  it("counts what is free as 0, which is a price", () => {
    const row = priceTableSchema.parse([{ provider: "p", model: "m", from: "2026-01-01", input: 0, output: 0 }])[0];
    expect(costOf({ ...noTokens, uncached: 5, output: 5 }, row)).toEqual({ kind: "priced", costMicroUsd: 0 });
  });

  it("rounds once per request, half up", () => {
    const row = priceTableSchema.parse([{ provider: "p", model: "m", from: "2026-01-01", input: 500_000, output: 500_000 }])[0];
    expect(costOf({ ...noTokens, uncached: 1 }, row)).toEqual({ kind: "priced", costMicroUsd: 1 });
    expect(costOf({ ...noTokens, uncached: 1, output: 1 }, row)).toEqual({ kind: "priced", costMicroUsd: 1 });
  });

  it("says unpriced rather than zero for a model, a tier or a kind of cache without a price", () => {
    expect(costOf({ ...noTokens, output: 1 }, undefined)).toMatchObject({ kind: "unpriced", reason: "unknown_model" });
    const priority = costOf({ ...noTokens, output: 1 }, sonnet, { serviceTier: "priority" });
    expect(priority).toMatchObject({ kind: "unpriced", reason: "unknown_tier", detail: expect.stringContaining("priority") });
    expect(costOf({ ...noTokens, write12h: 1 }, sonnet)).toMatchObject({ kind: "unpriced", reason: "unknown_cache_price" });
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
