import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { costOf } from "../../src/llm/usage/cost-of.ts";
import { normalizeUsage } from "../../src/llm/usage/normalize-usage.ts";
import { createPriceTable } from "../../src/llm/usage/price-table.ts";
import { shippedPrices } from "../../src/llm/usage/prices.ts";
import { noTokens } from "../../src/llm/usage/token-partition.ts";

const recordedUsage = z.object({
  library: z.string(),
  version: z.string(),
  reads: z.string(),
  name: z.string(),
  provider: z.string(),
  model: z.string(),
  usage: z.unknown(),
  bill: z.object({ tokens: z.record(z.string(), z.int()), costMicroUsd: z.int().optional() }),
});

/** What a client library handed to its user, and what the provider bills for the request. */
export type RecordedUsage = z.output<typeof recordedUsage>;

/** All that `node setup/clients.js --write` recorded. */
export function readRecordedUsage(): readonly RecordedUsage[] {
  const file = join(import.meta.dirname, "../clients/fixtures/recorded.jsonl");
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => recordedUsage.parse(JSON.parse(line)));
}

const prices = createPriceTable(shippedPrices);
const at = Date.UTC(2026, 10, 1);

/** `exact`: tokens and cost are those of the bill. `named`: there is no cost, and a reason. `other`: a cost that is not the bill's. */
export function readingOf({ usage, provider, model, bill }: RecordedUsage): {
  readonly kind: "exact" | "named" | "other";
  readonly reason?: string;
} {
  const result = normalizeUsage(usage, provider);
  if (result.kind === "anomaly") return { kind: "named", reason: result.reason };
  const row = prices.find(provider, model, at);
  const cost = costOf(result.tokens, row, result.terms);
  const isSame = JSON.stringify(result.tokens) === JSON.stringify({ ...noTokens, ...bill.tokens });
  if (cost.kind === "priced") return { kind: isSame && cost.costMicroUsd === bill.costMicroUsd ? "exact" : "other" };
  if (row !== undefined) return { kind: "named", reason: cost.reason };
  return { kind: isSame ? "exact" : "other" };
}
