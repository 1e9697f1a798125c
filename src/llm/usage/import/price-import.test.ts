import { describe, expect, it } from "@jest/globals";
import { createPriceTable, priceTableSchema } from "../price-table.ts";
import { importGenaiPrices } from "./import-genai-prices.ts";
import { importLitellmPrices } from "./import-litellm-prices.ts";
import { priceOf } from "./price-import.ts";

const head = { from: "2026-09-01", source: "litellm, 2026-09-08" };

describe("importLitellmPrices", () => {
  const base = { litellm_provider: "anthropic", mode: "chat", input_cost_per_token: 3e-6, output_cost_per_token: 1.5e-5 };

  it("turns prices per token into rows, with steps, lifetimes, sound and tiers", () => {
    const { rows, skipped } = importLitellmPrices(
      {
        sample_spec: { input_cost_per_token: 0 },
        "claude-x": {
          ...base,
          cache_read_input_token_cost: 3e-7,
          cache_creation_input_token_cost: 3.75e-6,
          cache_creation_input_token_cost_above_1hr: 6e-6,
          input_cost_per_token_above_200k_tokens: 6e-6,
          output_cost_per_token_above_200k_tokens: 2.25e-5,
          input_cost_per_token_batches: 1.5e-6,
          output_cost_per_token_batches: 7.5e-6,
          cache_read_input_token_cost_batches: 1.5e-7,
          max_tokens: 64_000,
        },
        "gemini/flash": { ...base, litellm_provider: "gemini", input_cost_per_audio_token: 1e-6 },
      },
      head,
    );
    expect(skipped).toEqual([]);
    expect(priceTableSchema.parse(rows)).toMatchObject([
      {
        provider: "anthropic",
        model: "claude-x",
        from: "2026-09-01",
        input: 3_000_000,
        output: 15_000_000,
        cacheRead: 300_000,
        cacheWrite: { "5m": 3_750_000, "1h": 6_000_000 },
        steps: [{ above: 200_000, input: 6_000_000, output: 22_500_000, cacheWrite: {} }],
        tiers: { batch: 50 },
        source: "litellm, 2026-09-08",
      },
      { provider: "gcp.gemini", model: "flash", audio: { input: 1_000_000 }, tiers: {} },
    ]);
  });

  it("leaves out what it cannot express, and says why", () => {
    const { rows, skipped } = importLitellmPrices(
      {
        picture: { ...base, mode: "image_generation" },
        half: { litellm_provider: "openai", mode: "chat", input_cost_per_token: 1e-6 },
        unknown: { ...base, input_cost_per_token: 0, output_cost_per_token: 0 },
        thinking: { ...base, output_cost_per_reasoning_token: 3e-5 },
        new: { ...base, input_cost_per_token_at_night: 1e-6 },
        fine: { ...base, input_cost_per_token: 1.23456789012345e-9 },
        list: [],
      },
      head,
    );
    expect(rows).toEqual([]);
    expect(skipped.map(({ model }) => model)).toEqual(["picture", "half", "unknown", "thinking", "new", "fine", "list"]);
    expect(skipped.map(({ reason }) => reason).join("; ")).toMatch(
      /unit.*no price for input.*is 0.*reasoning.*at_night.*finer.*no provider/,
    );
  });
});

describe("importGenaiPrices", () => {
  const match = { or: [{ equals: "model-a-latest" }, { starts_with: "model-a" }] };
  const list = (prices: unknown) => [{ id: "x-ai", name: "xAI", models: [{ id: "model-a", match, prices }] }];

  it("turns prices per million into rows by day, with steps", () => {
    const { rows } = importGenaiPrices(
      list([
        { prices: { input_mtok: 0.075, output_mtok: 0.3 } },
        {
          constraint: { start_date: "2026-05-01" },
          prices: { input_mtok: { base: 1, tiers: [{ start: 200_000, price: 2 }] }, cache_read_mtok: 0.1, output_mtok: 4 },
        },
      ]),
      "genai-prices",
    );
    const table = createPriceTable(rows);
    expect(table.find("x_ai", "model-a", Date.UTC(2026, 3, 30))).toMatchObject({ input: 75_000, output: 300_000 });
    expect(table.find("x_ai", "model-a-latest", Date.UTC(2026, 4, 1))).toMatchObject({
      input: 1_000_000,
      cacheRead: 100_000,
      steps: [{ above: 200_000, input: 2_000_000, output: 4_000_000, cacheRead: 100_000 }],
    });
  });

  it.each([
    [
      "a price by the time of day",
      [{ constraint: { start_time: "00:30:00Z", end_time: "16:30:00Z" }, prices: { input_mtok: 1, output_mtok: 1 } }],
    ],
    ["a price of the request", { input_mtok: 1, output_mtok: 1, requests_kcount: 5 }],
    ["no price of the output", { input_mtok: 1 }],
    ["a price that is too fine", { input_mtok: 0.000_000_3, output_mtok: 1 }],
  ])("leaves out %s", (_name, prices) => {
    const { rows, skipped } = importGenaiPrices(list(prices), "genai-prices");
    expect(rows).toEqual([]);
    expect(skipped).toMatchObject([{ model: "x-ai/model-a" }]);
  });

  it("leaves out a model that has two prices for one day", () => {
    const models = [1, 2].map((input_mtok) => ({ id: "m", match: { equals: "m" }, prices: { input_mtok, output_mtok: 1 } }));
    const { rows, skipped } = importGenaiPrices([{ id: "p", models }], "genai-prices");
    expect(rows).toEqual([]);
    expect(skipped).toEqual([{ model: "p m 2020-01-01", reason: "the list has two prices for it" }]);
  });
});

it("takes the nearest whole price of a number that binary cannot write, and no other", () => {
  expect([priceOf(3e-7, 1), priceOf(0.075, 1_000_000), priceOf(1.1e-12, 1), priceOf(Number.NaN, 1), priceOf(-1, 1)]).toEqual([
    300_000,
    75_000,
    undefined,
    undefined,
    undefined,
  ]);
});
