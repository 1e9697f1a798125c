import { describe, expect, it } from "@jest/globals";
import { createPriceTable } from "./price-table.ts";
import { shippedPrices } from "./prices.ts";
import { recordUsage } from "./record-usage.ts";
import { noTokens } from "./token-partition.ts";
import { priceReport, usageReportSchema, type UsageReport } from "./usage-report.ts";

const now = Date.UTC(2026, 10, 23);
const prices = createPriceTable(shippedPrices);
const report: UsageReport = {
  id: "msg_1",
  provider: "anthropic",
  model: "claude-haiku-4-5-20251001",
  operation: "classify",
  prompt: "triage",
  budget: "checkout",
  ticketId: "GH-1",
  usage: { input_tokens: 1000, output_tokens: 100 },
};
const price = (change: Partial<UsageReport> = {}) => priceReport(usageReportSchema.parse({ ...report, ...change }), prices, now);

describe("priceReport", () => {
  it("prices what it can read", () => {
    expect(price()).toMatchObject({ costMicroUsd: 1500, at: now, attempt: 1, queue: "default", tokens: { uncached: 1000, output: 100 } });
  });

  it("takes the tier that the provider reports before the one that the application names", () => {
    expect(price({ serviceTier: "batch" }).costMicroUsd).toBe(750);
    expect(price({ serviceTier: "batch", usage: { input_tokens: 1000, output_tokens: 100, service_tier: "standard" } }).costMicroUsd).toBe(
      1500,
    );
  });

  it("marks what has no price, and keeps its tokens", () => {
    expect(price({ model: "claude-next" })).toMatchObject({ unpriced: "unknown_model", costMicroUsd: 0, tokens: { uncached: 1000 } });
  });

  it("marks a success without usage, and believes a failure without", () => {
    expect(price({ usage: undefined })).toMatchObject({ anomaly: "missing_usage" });
    const failed = price({ usage: undefined, outcome: "rate_limited" });
    expect(failed).toMatchObject({ tokens: noTokens, costMicroUsd: 0 });
    expect(failed).not.toHaveProperty("anomaly");
  });

  it("takes the time of receipt for one that cannot be true", () => {
    expect(price({ at: now - 60_000 }).at).toBe(now - 60_000);
    expect(price({ at: now + 3_600_000 }).at).toBe(now);
    expect(price({ at: 0 }).at).toBe(now);
  });
});

describe("recordUsage", () => {
  it("tells metrics only of what was counted for the first time", async () => {
    const told: string[] = [];
    const replies = ["accepted", "duplicate", "unknown_budget"] as const;
    const results = await recordUsage([{ ...report, id: "a" }, null, { ...report, id: "b" }, { ...report, id: "c" }], now, {
      prices,
      ledger: { record: async () => replies },
      observer: { usage: (events) => told.push(...events.map(({ id }) => id)), finished: () => undefined },
    });
    expect(results.map(({ result }) => result)).toEqual(["accepted", "invalid", "duplicate", "unknown_budget"]);
    expect(told).toEqual(["a"]);
  });
});
