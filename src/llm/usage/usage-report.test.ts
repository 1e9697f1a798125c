import { describe, expect, it } from "@jest/globals";
import { type UsageReport, usageReportSchema } from "../../../packages/sdk/src/wire/usage.ts";
import { aBlock } from "../../../test/builders/a-prefix-sample.ts";
import type { PrefixSample } from "../../core/prefix-sample.ts";
import type { PrefixSampleStore } from "./prefix-samples.ts";
import { createPriceTable } from "./price-table.ts";
import { shippedPrices } from "./prices.ts";
import { recordUsage } from "./record-usage.ts";
import { noTokens } from "./token-partition.ts";
import { createReportPricer } from "./usage-report.ts";

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
const priceReport = createReportPricer(prices, now);
const price = (change: Partial<UsageReport> = {}) => priceReport(usageReportSchema.parse({ ...report, ...change }));

describe("createReportPricer", () => {
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
      publish: ({ usage }) => told.push(...usage.map(({ id }) => id)),
    });
    expect(results.map(({ result }) => result)).toEqual(["accepted", "invalid", "duplicate", "unknown_budget"]);
    expect(told).toEqual(["a"]);
  });

  it("keeps the prefix of what it counted, redacted, and counts the usage of a report whose prefix is wrong", async () => {
    const kept: PrefixSample[] = [];
    const prefix = { blocks: [aBlock("guide", 9, { mark: "5m" })], texts: [{ block: 0, text: "the secret guide of ann@example.com" }] };
    const record = (samples: Pick<PrefixSampleStore, "add">, lost: (error: unknown) => void) =>
      recordUsage(
        [
          { ...report, id: "a", prefix, latencyMs: 500 },
          { ...report, id: "b", prefix },
          { ...report, id: "c", prefix: { blocks: [] } },
        ],
        now,
        {
          prices,
          ledger: { record: async () => ["accepted", "duplicate", "accepted"] },
          publish: () => undefined,
          prefixes: { samples, redact: (text) => text.replaceAll("secret", "[secret]"), lost },
        },
      );
    const results = await record({ add: async (samples) => void kept.push(...samples) }, () => undefined);
    expect(results.map(({ result }) => result)).toEqual(["accepted", "duplicate", "accepted"]);
    expect(results[2]?.prefixIssues?.join()).toContain("prefix.blocks");
    expect(kept).toMatchObject([
      { id: "a", at: now - 500, texts: [{ text: "the [secret] guide of [address]" }], measured: { uncached: 1000 } },
    ]);
    const errors: unknown[] = [];
    await record({ add: () => Promise.reject(new Error("Redis is away")) }, (error) => errors.push(error));
    expect(errors).toHaveLength(1);
  });

  it("leaves the prefix out of the event, and tells why the cache was missed", () => {
    const event = price({ prefix: { blocks: [aBlock("guide", 900, { mark: "5m" }), aBlock("rest", 100)] }, diagnostics: null });
    expect(event).not.toHaveProperty("prefix");
    expect(event).not.toHaveProperty("diagnostics");
    const missed = price({ diagnostics: { cache_miss_reason: { type: "tools_changed", cache_missed_input_tokens: 700 } } });
    expect(missed.cacheMiss).toEqual({ reason: "tools_changed", missedTokens: 700 });
  });
});
