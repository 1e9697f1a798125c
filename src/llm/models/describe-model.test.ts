import { describe, expect, it } from "@jest/globals";
import { dayMs } from "../../core/duration.ts";
import { createPriceTable } from "../usage/price-table.ts";
import { describeModel, describeModels } from "./describe-model.ts";
import type { KeptModel, ModelListing } from "./model-listing.ts";
import { createModelTable, type ModelTableSource } from "./model-table.ts";

const now = Date.UTC(2026, 10, 30);
const readAt = now - dayMs;
const price = { provider: "p", model: "m", from: "2026-01-01", input: 2_000_000, output: 8_000_000 };
const row = { provider: "p", model: "m", source: "a page", asOf: "2026-10-01" } as const;

function known(model: string, { listed, rows = [] }: { readonly listed?: readonly KeptModel[]; readonly rows?: ModelTableSource } = {}) {
  const listing: ModelListing[] = listed === undefined ? [] : [{ provider: "p", at: readAt, models: listed, unreadable: [] }];
  return describeModel(
    { provider: "p", model },
    { listings: listing, table: createModelTable(rows), prices: createPriceTable([price]) },
    now,
  );
}

const listed = (change: Partial<KeptModel> = {}): KeptModel => ({
  model: "m",
  features: {},
  listedAt: readAt,
  lifecycle: "active",
  ...change,
});

describe("a model", () => {
  it("that nobody names is unknown, never active", () => {
    const unknown = { lifecycle: "unknown", source: "none", features: {}, overdue: false };
    expect(known("z")).toEqual({ provider: "p", model: "z", ...unknown });
    expect(known("m", { rows: [row] })).toMatchObject(unknown);
    expect(known("m", { listed: [listed({ model: "other" })] })).toMatchObject({ lifecycle: "unknown", source: "provider", asOf: readAt });
  });

  it("is what its provider's list says, and the table only fills in", () => {
    const rows: ModelTableSource = [
      {
        ...row,
        lifecycle: "deprecated",
        retiresAt: "2026-12-24",
        contextTokens: 10,
        outputTokens: 5,
        features: { tools: false, batch: true },
        replacement: { provider: "p", model: "next" },
      },
    ];
    expect(known("m", { rows, listed: [listed({ contextTokens: 20, features: { tools: true } })] })).toEqual({
      provider: "p",
      model: "m",
      lifecycle: "active",
      source: "provider",
      asOf: readAt,
      overdue: false,
      contextTokens: 20,
      outputTokens: 5,
      features: { tools: true, batch: true },
      replacement: { provider: "p", model: "next" },
      price: { input: 2_000_000, output: 8_000_000 },
    });
  });

  it("has the table's lifecycle when its provider's list names none", () => {
    const { lifecycle: _none, ...bare } = listed();
    const rows: ModelTableSource = [{ ...row, lifecycle: "deprecated", deprecatedAt: "2026-06-11", retiresAt: "2026-12-11" }];
    expect(known("m", { rows, listed: [bare] })).toMatchObject({
      lifecycle: "deprecated",
      retiresAt: Date.UTC(2026, 11, 11),
      source: "table",
      asOf: Date.UTC(2026, 9, 1),
    });
  });

  it("whose date has passed is overdue while its provider calls it deprecated, and not retired", () => {
    const late = listed({ lifecycle: "deprecated", retiresAt: now - dayMs });
    expect(known("m", { listed: [late] })).toMatchObject({ lifecycle: "deprecated", overdue: true, retiresAt: now - dayMs });
    expect(known("m", { listed: [{ ...late, lifecycle: "retired" }] })).toMatchObject({ lifecycle: "retired", overdue: false });
    expect(known("m", { listed: [{ ...late, retiresAt: now + 1 }] })).toMatchObject({ overdue: false });
  });

  it("that left the list is retired when its date has passed, and unknown before", () => {
    const gone = listed({ lifecycle: "deprecated", retiresAt: now - dayMs, listedAt: readAt - dayMs });
    expect(known("m", { listed: [gone] })).toMatchObject({ lifecycle: "retired", source: "provider", asOf: readAt });
    expect(known("m", { listed: [{ ...gone, retiresAt: now + dayMs }] })).toMatchObject({ lifecycle: "unknown", retiresAt: now + dayMs });
    expect(known("m", { listed: [], rows: [{ ...row, lifecycle: "active" }] })).toMatchObject({ lifecycle: "unknown" });
    expect(known("m", { listed: [], rows: [{ ...row, lifecycle: "retired" }] })).toMatchObject({ lifecycle: "retired" });
  });

  it("is found by its id without a date, as the newest of them", () => {
    const dated = ["m-20250101", "m-20260101", "m-mini"].map((model, nth) => listed({ model, contextTokens: nth + 1 }));
    expect(known("m", { listed: dated })).toMatchObject({ model: "m", lifecycle: "active", contextTokens: 2 });
    expect(known("m-20250101", { listed: dated, rows: [{ ...row, outputTokens: 9 }] })).toMatchObject({
      contextTokens: 1,
      outputTokens: 9,
    });
  });
});

it("describes each model of lists and table once", () => {
  const listing = { provider: "p", at: readAt, models: [listed(), listed({ model: "n" })], unreadable: [] };
  const table = createModelTable([row, { ...row, model: "o", lifecycle: "active" }]);
  const all = describeModels({ listings: [listing], table, prices: createPriceTable([]) }, now);
  expect(all.map(({ model, lifecycle }) => [model, lifecycle])).toEqual([
    ["m", "active"],
    ["n", "active"],
    ["o", "unknown"],
  ]);
});
