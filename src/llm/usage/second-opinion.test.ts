import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { type ChangedUsage, generateUsage } from "../../../test/builders/generated-usage.ts";
import { readRecordedUsage } from "../../../test/builders/recorded-usage.ts";
import { agrees, flavorOf, ourOpinion, partsOfPrice, secondOpinion } from "../../../test/builders/second-opinion.ts";
import { changeDifferences, objectDifferences, priceDifferences } from "../../../test/builders/second-opinion-differences.ts";
import type { GeneratedUsage } from "../../../test/builders/usage-sample.ts";
import { createPriceTable } from "./price-table.ts";
import { shippedPrices } from "./prices.ts";

/** A few thousand with every change of the code; `npm run test:long` asks for 100 000. */
const count = Number(process.env["USAGE_OBJECTS"] ?? 3000);
const seed = 16;

/** Whether both agree about an object that is as documented. What we do not price cannot be wrong. */
function isSettled(usage: GeneratedUsage): boolean {
  const { costMicroUsd } = ourOpinion(usage);
  return costMicroUsd === undefined || usage.opinion === undefined || agrees(costMicroUsd, secondOpinion(usage));
}

describe("genai-prices, as a second opinion", () => {
  it("gives the cost of what client libraries hand out, but for the lines of the table", () => {
    const recorded = readRecordedUsage().flatMap((one) => {
      const opinion = flavorOf(one);
      return opinion === undefined ? [] : [{ ...one, schema: one.name, usage: { ...Object(one.usage) }, opinion }];
    });
    expect(recorded.length).toBeGreaterThan(20);
    const differing = [...new Set(recorded.filter((one) => !isSettled(one)).map(({ schema }) => schema))];
    const listed = objectDifferences.map(({ of }) => of);
    expect(differing.filter((name) => !listed.includes(name) && !name.startsWith("Kimi"))).toEqual([]);
  });

  it(
    "agrees about generated objects, and about each with one member removed, renamed, doubled or moved, or there is a named reason",
    () => {
      const outcomes = { same: 0, agreed: 0, named: 0, listed: 0 };
      const faults: string[] = [];
      const used = new Set<unknown>();
      for (const one of generateUsage(seed, count)) {
        const line = objectDifferences.find(({ of }) => of === one.original.schema);
        if (line === undefined && !isSettled(one.original)) faults.push(`as documented: ${JSON.stringify(one.original)}`);
        if (line !== undefined) used.add(line);
        const outcome = outcomeOf(one, used);
        if (outcome === "differs")
          faults.push(JSON.stringify({ ...one, ours: ourOpinion(one.changed), theirs: secondOpinion(one.changed) }));
        else outcomes[outcome] += 1;
      }
      expect(faults.slice(0, 5)).toEqual([]);
      expect(outcomes.same + outcomes.agreed).toBeGreaterThan(count / 5);
      expect(outcomes.named).toBeGreaterThan(count / 5);
      // A line that nothing needs is a line too many.
      const unused = count < 3000 ? [] : changeDifferences.filter((line) => !used.has(line) && line.change === "removed");
      expect(unused).toEqual([]);
    },
    60_000 + count * 20,
  );

  it("has the prices of the shipped table on every day, but for the lines of the table", () => {
    const table = createPriceTable(shippedPrices);
    const days = ["2025-12-01", "2026-02-20", "2026-04-01", "2026-07-05", "2026-08-01", "2026-08-25", "2026-11-01", "2026-11-25"];
    const models = new Map(table.rows.map(({ provider, model }) => [`${provider} ${model}`, { provider, model }]));
    const differing = [...models.values()].flatMap(({ provider, model }) =>
      days.flatMap((day) =>
        partsOfPrice({ provider, model, day }, table.find(provider, model, Date.parse(day)))
          .filter(({ part }) => !priceDifferences.some((line) => line.models.test(model) && [part, "all"].includes(line.part)))
          .map((part) => ({ model, day, ...part })),
      ),
    );
    expect(models.size).toBeGreaterThan(25);
    expect(differing).toEqual([]);
  });

  it("has its differences in the documents", () => {
    const document = readFileSync(join(import.meta.dirname, "../../../docs/client-libraries.md"), "utf8");
    const lines = [...objectDifferences, ...changeDifferences, ...priceDifferences].map(({ what, why }) => `| ${what} | ${why} |`);
    expect(lines.filter((line) => !document.includes(line))).toEqual([]);
  });
});

function outcomeOf(
  { original, changed, change, path, into }: ChangedUsage,
  used: Set<unknown>,
): "same" | "agreed" | "named" | "listed" | "differs" {
  const { costMicroUsd } = ourOpinion(changed);
  if (costMicroUsd === undefined) return "named";
  if (costMicroUsd === ourOpinion(original).costMicroUsd) return "same";
  if (agrees(costMicroUsd, secondOpinion(changed))) return "agreed";
  const line = changeDifferences.find(
    (one) => one.schema === original.schema && one.change === change && one.path === path && (one.into ?? into) === into,
  );
  if (line === undefined) return "differs";
  used.add(line);
  return "listed";
}
