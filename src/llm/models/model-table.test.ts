import { describe, expect, it } from "@jest/globals";
import { createModelTable, modelTableSchema } from "./model-table.ts";
import { shippedModels } from "./shipped-models.ts";

const row = { provider: "p", model: "m", source: "a page", asOf: "2026-10-01" } as const;

describe("a table of models", () => {
  it("lets rows of one's own go before shipped ones of the same model", () => {
    const own = [
      { ...row, lifecycle: "retired" },
      { ...row, model: "mine" },
    ] as const;
    const table = createModelTable(
      [
        { ...row, lifecycle: "active" },
        { ...row, model: "n" },
      ],
      [...own],
    );
    expect(table.rows.map(({ model, lifecycle }) => [model, lifecycle])).toEqual([
      ["m", "retired"],
      ["mine", undefined],
      ["n", undefined],
    ]);
  });

  it("finds a dated id by the longest id that it begins with, and no other model", () => {
    const table = createModelTable([row, { ...row, model: "m-2026-01-01", contextTokens: 7 }]);
    expect(table.find({ provider: "p", model: "m-2025-01-01" })?.model).toBe("m");
    expect(table.find({ provider: "p", model: "m-2026-01-01" })?.contextTokens).toBe(7);
    expect(table.find({ provider: "p", model: "m-mini" })).toBeUndefined();
    expect(table.find({ provider: "q", model: "m" })).toBeUndefined();
  });

  it.each([
    ["a second row for a model", [row, row], "keep one"],
    ["a row without its source", [{ ...row, source: "" }], "source"],
    ["a row without its day", [{ provider: "p", model: "m", source: "s" }], "asOf"],
    ["a day that is none", [{ ...row, retiresAt: "2026-02-30" }], "retiresAt"],
    ["unknown as a lifecycle", [{ ...row, lifecycle: "unknown" }], "lifecycle"],
    ["a feature with another name", [{ ...row, features: { tool: true } }], "tool"],
  ])("refuses %s", (_what, rows, named) => {
    const { issues = [] } = modelTableSchema.safeParse(rows).error ?? {};
    expect(JSON.stringify(issues)).toContain(named);
  });

  it("ships rows that can be read, each deprecated one with its date", () => {
    const { rows } = createModelTable(shippedModels);
    expect(rows.length).toBeGreaterThan(10);
    expect(
      rows.filter(({ lifecycle, retiresAt }) => (lifecycle === "deprecated" || lifecycle === "retired") && retiresAt === undefined),
    ).toEqual([]);
    expect(rows.filter(({ deprecatedAt = 0, retiresAt = Number.POSITIVE_INFINITY }) => deprecatedAt >= retiresAt)).toEqual([]);
  });
});
