import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { type UsageEvent, type UsageReport, usageReportSchema } from "../../../packages/sdk/src/wire/usage.ts";
import { aBlock } from "../../../test/builders/a-prefix-sample.ts";
import { aCountedUsage } from "../../../test/builders/a-usage-report.ts";
import type { PrefixSample } from "../../core/prefix-sample.ts";
import type { PrefixSampleStore } from "./prefix-samples.ts";
import { createPriceTable } from "./price-table.ts";
import { shippedPrices } from "./prices.ts";
import { recordUsage } from "./record-usage.ts";
import { noTokens } from "./token-partition.ts";
import type { RefusedUsage, UsageOutcome } from "./usage-ledger.ts";
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

  it.each([undefined, null])("marks a success without usage, and believes a failure without: %s", (usage) => {
    expect(price({ usage })).toMatchObject({ anomaly: "missing_usage" });
    const failed = price({ usage, outcome: "rate_limited" });
    expect(failed).toMatchObject({ tokens: noTokens, costMicroUsd: 0 });
    expect(failed).not.toHaveProperty("anomaly");
  });

  it("takes the time of receipt for one that cannot be true", () => {
    expect(price({ at: now - 60_000 }).at).toBe(now - 60_000);
    expect(price({ at: now + 3_600_000 }).at).toBe(now);
    expect(price({ at: now + 300_000 }).at).toBe(now + 300_000);
  });
});

describe("recordUsage", () => {
  it("tells metrics what became of each report that names a budget", async () => {
    const told: string[] = [];
    const replies = ["accepted", "duplicate", "unknown_budget"] as const;
    const reply = (event: UsageEvent, index: number): UsageOutcome => {
      const kind = replies[index] ?? "unknown_budget";
      return kind === "unknown_budget" ? { kind } : aCountedUsage(event, { kind });
    };
    const results = await recordUsage([{ ...report, id: "a" }, null, { ...report, id: "b" }, { ...report, id: "c" }], now, {
      prices,
      ledger: { record: async (events) => events.map(reply) },
      publish: (event) => event.kind === "usage_counted" && told.push(...event.usage.map((one) => `${one.kind} ${one.event.id}`)),
    });
    expect(results.map(({ result }) => result)).toEqual(["accepted", "invalid", "duplicate", "unknown_budget"]);
    expect(told).toEqual(["accepted a", "duplicate b"]);
  });

  it("refuses a report that is older than ids are remembered, by name, and counts the others", async () => {
    const refused: RefusedUsage[] = [];
    const day = 86_400_000;
    const results = await recordUsage(
      [1, 3].map((age) => ({ ...report, id: `m${age}`, at: now - age * day })),
      now,
      {
        prices,
        ledger: { record: async (events) => events.map((event) => aCountedUsage(event)) },
        publish: (event) => event.kind === "usage_refused" && refused.push(...event.reports),
      },
    );
    expect(results).toMatchObject([
      { id: "m1", result: "accepted" },
      { id: "m3", result: "too_old", issues: [expect.stringContaining("RUNBOOKD_USAGE_DAYS")] },
    ]);
    expect(refused).toMatchObject([{ index: 1, id: "m3", reason: "too_old" }]);
  });

  it("keeps what explains the price beside the counts, and the names of what cannot be read", () => {
    const usage = { input_tokens: 1, output_tokens: 1, speed: "fast", inference_geo: "us", server_tool_use: { web_search_requests: 2 } };
    expect(price({ usage, model: "claude-opus-4-8" })).toMatchObject({
      shape: "anthropic-messages",
      speed: "fast",
      geography: "us",
      tools: { web_search: 2 },
    });
    expect(price({ usage: { input_tokens: 1, output_tokens: -1 } })).toMatchObject({
      shape: "anthropic-messages",
      usageKeys: "input_tokens, output_tokens",
    });
    expect(price({ usage: { "<b>": 1 } })).toMatchObject({ anomaly: "unrecognised_shape", usageKeys: "?b?" });
  });

  it("refuses exactly the reports that cannot be used, whatever they are, counts the others, and publishes which and why", async () => {
    const refusable: fc.Arbitrary<unknown> = fc.oneof(
      fc.json().map((text): unknown => JSON.parse(text)),
      fc.constantFrom({ ...report, turn: "1" }, { ...report, id: "" }, { ...report, budget: undefined }, { ...report, extra: 1 }, [report]),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(refusable, { nil: report, freq: 2 }), { minLength: 1, maxLength: 20 }), async (sent) => {
        const reports = sent.map((one, index) => (one === report ? { ...report, id: `good_${index}` } : one));
        const counted: string[] = [];
        const refused: RefusedUsage[] = [];
        const results = await recordUsage(reports, now, {
          prices,
          ledger: { record: async (events) => events.map((event) => aCountedUsage(event)) },
          publish: (event) =>
            event.kind === "usage_counted" ? counted.push(...event.usage.map((one) => one.event.id)) : refused.push(...event.reports),
        });
        const good = sent.flatMap((one, index) => (one === report ? [`good_${index}`] : []));
        expect(counted).toEqual(good);
        expect(results.map(({ result }) => result === "accepted")).toEqual(sent.map((one) => one === report));
        expect(refused.map(({ index }) => index)).toEqual(sent.flatMap((one, index) => (one === report ? [] : [index])));
        expect(refused.every(({ reason, issues }) => reason === "invalid" && issues.length > 0)).toBe(true);
      }),
      { seed: 12, numRuns: 200 },
    );
  });

  it("refuses one whose price cannot be worked out by a defect, and counts the others", async () => {
    const broken = { find: (_provider: string, model: string) => (model === "m" ? fail() : undefined) };
    const fail = (): never => {
      throw new Error("no such row");
    };
    const results = await recordUsage(
      [
        { ...report, model: "m" },
        { ...report, id: "b" },
      ],
      now,
      {
        prices: { ...prices, ...broken },
        ledger: { record: async (events) => events.map((event) => aCountedUsage(event)) },
        publish: () => undefined,
      },
    );
    expect(results).toMatchObject([
      { id: "msg_1", result: "invalid", issues: ["(whole): it cannot be read: no such row"] },
      { id: "b", result: "accepted" },
    ]);
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
          ledger: {
            record: async (events) => events.map((event) => aCountedUsage(event, { kind: event.id === "b" ? "duplicate" : "accepted" })),
          },
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
