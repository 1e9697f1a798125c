import { describe, expect, it } from "@jest/globals";
import { costOf as ledgerCostOf } from "../../../src/llm/usage/cost-of.ts";
import { createPriceTable } from "../../../src/llm/usage/price-table.ts";
import { shippedPrices } from "../../../src/llm/usage/prices.ts";
import { costOf } from "./model-call.ts";
import { servedModels } from "./model-catalogue.ts";

const split = { uncached: 1001, read: 52_345, write5m: 777, write1h: 1303 };
const output = 459;

describe("the provider's bill", () => {
  it.each(servedModels.map((model) => [model.id, model] as const))("agrees with the shipped price table for %s", (id, model) => {
    const row = createPriceTable(shippedPrices).find("anthropic", `${id}-20260101`, Date.parse("2026-06-01"));
    const tokens = { ...split, write30m: 0, write12h: 0, output, reasoning: 0 };
    expect(ledgerCostOf(tokens, row, { serviceTier: "standard" })).toEqual({ kind: "priced", costMicroUsd: costOf(model, split, output) });
  });

  it("rounds once", () => {
    const [model] = servedModels;
    expect(model === undefined ? 0 : costOf(model, { uncached: 1, read: 1, write5m: 1, write1h: 1 }, 1)).toBe(28);
  });
});
