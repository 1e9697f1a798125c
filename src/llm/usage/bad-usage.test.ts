import { describe, expect, it } from "@jest/globals";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import { aUsageReport } from "../../../test/builders/a-usage-report.ts";
import { createPriceTable } from "./price-table.ts";
import { shippedPrices } from "./prices.ts";
import { recordUsage } from "./record-usage.ts";

const now = Date.UTC(2026, 10, 23);

/** What came of the reports, and what was counted. */
async function record(reports: readonly unknown[]) {
  const counted: UsageEvent[] = [];
  const results = await recordUsage(reports, now, {
    ledger: {
      record: async (events) => {
        counted.push(...events);
        return events.map((event) => ({
          kind: "accepted",
          event,
          changeMicroUsd: event.costMicroUsd,
          estimatedChangeMicroUsd: 0,
          added: event.tokens,
        }));
      },
    },
    prices: createPriceTable(shippedPrices),
    publish: () => undefined,
  });
  return { results, counted };
}

const anthropic = { input_tokens: 1000, output_tokens: 200, cache_read_input_tokens: 50 };

/** Usage that is wrong in one way, and the reason that names it. */
const bad: readonly (readonly [string, unknown, string])[] = [
  ["a negative count", { ...anthropic, output_tokens: -1 }, "not_a_count"],
  ["a fraction", { ...anthropic, output_tokens: 0.5 }, "not_a_count"],
  ["a count beyond 10^10", { ...anthropic, output_tokens: 1e30 }, "not_a_count"],
  ["a number that is none", { ...anthropic, output_tokens: Number.NaN }, "not_a_count"],
  ["infinity", { ...anthropic, output_tokens: Number.POSITIVE_INFINITY }, "not_a_count"],
  ["a text", { ...anthropic, output_tokens: "200" }, "not_a_count"],
  ["a list", { ...anthropic, output_tokens: [200] }, "not_a_count"],
  ["an object", { ...anthropic, output_tokens: { value: 200 } }, "not_a_count"],
  ["an unknown count", { ...anthropic, imagined_tokens: 7 }, "unread_count"],
  ["an unknown count within", { ...anthropic, details: { imagined_tokens: 7 } }, "unread_count"],
  ["a count in quotes", { ...anthropic, imagined_tokens: "7" }, "unread_count"],
  ["two shapes in one", { ...anthropic, prompt_tokens: 1050, completion_tokens: 200, total_tokens: 1250 }, "unread_count"],
  ["another provider's shape", { promptTokenCount: 1000, candidatesTokenCount: 200, totalTokenCount: 1200 }, "provider_mismatch"],
  ["half a shape", { input_tokens: 1000 }, "missing_count"],
  ["a text in place of the object", "1000", "unrecognised_shape"],
  ["a list in place of the object", [anthropic], "unrecognised_shape"],
  ["a number in place of the object", 1000, "unrecognised_shape"],
  ["nothing in place of the object", null, "missing_usage"],
  ["an empty object", {}, "unrecognised_shape"],
];

describe("usage that is wrong", () => {
  it.each(bad)("has a named reason and no cost: %s", async (_name, usage, reason) => {
    const { results, counted } = await record([aUsageReport({ id: "bad", usage }), aUsageReport({ id: "good", usage: anthropic })]);
    expect(results[0]).toMatchObject({ id: "bad", anomaly: reason, detail: expect.any(String) });
    expect(results[0]).toMatchObject({ costMicroUsd: 0 });
    expect(results[1]).toMatchObject({ id: "good", costMicroUsd: 3000 + 15 + 3000 });
    expect(counted).toHaveLength(2);
  });

  it("has no price beside a word that is not known", async () => {
    const { results } = await record([aUsageReport({ id: "1", usage: { ...anthropic, mode: "turbo" } })]);
    expect(results).toMatchObject([{ unpriced: "unknown_modifier", detail: expect.stringContaining("mode") }]);
  });

  it("costs none of the other 9,999 of a list anything", async () => {
    const usages = bad.map(([, usage]) => usage);
    const places = new Map(usages.map((usage, index) => [index * 500 + 7, usage] as const));
    const reports = Array.from({ length: 10_000 }, (_, index) =>
      aUsageReport({ id: `msg_${index}`, usage: places.has(index) ? places.get(index) : anthropic }),
    );
    const broken: readonly unknown[] = reports.map((report, index) => (index === 4242 ? { ...report, ticketId: 5 } : report));
    const { results, counted } = await record(broken);
    expect(results.map(({ id }) => id)).toEqual(reports.map(({ id }) => id));
    expect(results[4242]).toMatchObject({ result: "invalid", issues: [expect.stringContaining("ticketId")] });
    const priced = results.filter(({ costMicroUsd }) => costMicroUsd === 6015);
    expect(priced).toHaveLength(10_000 - 1 - places.size);
    expect(results.filter(({ anomaly }) => anomaly !== undefined)).toHaveLength(places.size);
    expect(counted).toHaveLength(9999);
  });
});
