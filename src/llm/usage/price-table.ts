import { z } from "zod";
import type { TokenPartition } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import type { MicroUsd } from "../../core/money.ts";

const price = z.int().min(0).max(1_000_000_000_000);

/** One dated row. Prices are micro-USD per million tokens: $3 per million is 3 000 000. A price that is absent is unknown, never 0. */
export const priceRowSchema = z.strictObject({
  /** OTel's provider name, e.g. `anthropic`, `openai`. */
  provider: z.string().min(1).max(60),
  /** The model's id without its date: `claude-sonnet-4-5` also prices `claude-sonnet-4-5-20250929`. */
  model: z.string().min(1).max(120),
  /** First day (UTC) on which the price holds. */
  from: z.iso.date(),
  input: price,
  output: price,
  cacheRead: price.optional(),
  cacheWrite: z
    .strictObject({ "5m": price.optional(), "30m": price.optional(), "1h": price.optional(), "12h": price.optional() })
    .default({}),
  /** Percent of the list price by service tier. A tier that is not here is not priced. */
  tiers: z.record(z.string(), z.int().min(1).max(1000)).default({}),
});

/** One dated row; see {@link priceRowSchema}. */
export type PriceRow = z.output<typeof priceRowSchema>;

/** A price table as people write it. */
export type PriceTableSource = z.input<typeof priceTableSchema>;

/** Rows in any order; two rows for the same provider, model and day are refused. */
export const priceTableSchema = z.array(priceRowSchema).superRefine((rows, context) => {
  const rowKeys = new Set<string>();
  for (const [index, row] of rows.entries()) {
    const key = `${row.provider} ${row.model} ${row.from}`;
    if (rowKeys.has(key)) context.addIssue({ code: "custom", path: [index], message: `a second row for ${key}; keep one` });
    rowKeys.add(key);
  }
});

/** Looks prices up. */
export interface PriceTable {
  find(provider: string, model: string, at: Instant): PriceRow | undefined;
}

/** Throws a ZodError that names each wrong row; a caller with an untrusted file uses `priceTableSchema` first. */
export function createPriceTable(source: PriceTableSource): PriceTable {
  const rows = priceTableSchema
    .parse(source)
    .map((row) => ({ row, from: Date.parse(row.from) }))
    // The longest model id first, and of the same id the newest price first: the first that fits is the one.
    .sort((a, b) => b.row.model.length - a.row.model.length || b.from - a.from);
  return {
    find: (provider, model, at) =>
      rows.find(({ row, from }) => row.provider === provider && from <= at && isSameModel(row.model, model))?.row,
  };
}

/** What may follow a known id: a date, `latest`, a hosting version. `gpt-5` does not price `gpt-5-mini` or `gpt-5.6`. */
const datedSuffix = /^(?:[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|latest|v\d+(?::\d+)?))*$/;

/** Whether `model` is the listed one, perhaps with a date or version behind its id. */
export function isSameModel(listedModel: string, model: string): boolean {
  return model.startsWith(listedModel) && datedSuffix.test(model.slice(listedModel.length));
}

/** What a request costs, or why that is unknown. Unknown is counted and shown, never zero. */
export type CostResult =
  | { readonly kind: "priced"; readonly costMicroUsd: MicroUsd }
  | { readonly kind: "unpriced"; readonly reason: "unknown_model" | "unknown_tier" | "unknown_cache_price" };

/** Service tiers at list price. */
const listTiers: readonly string[] = ["standard", "default", "auto", ""];

/** One rounding per request, half up; exact before it. */
export function costOf(tokens: TokenPartition, row: PriceRow | undefined, serviceTier = ""): CostResult {
  if (row === undefined) return { kind: "unpriced", reason: "unknown_model" };
  const percent = row.tiers[serviceTier] ?? (listTiers.includes(serviceTier) ? 100 : undefined);
  if (percent === undefined) return { kind: "unpriced", reason: "unknown_tier" };
  const parts: readonly (readonly [number, number | undefined])[] = [
    [tokens.uncached, row.input],
    [tokens.read, row.cacheRead],
    [tokens.write5m, row.cacheWrite["5m"]],
    [tokens.write30m, row.cacheWrite["30m"]],
    [tokens.write1h, row.cacheWrite["1h"]],
    [tokens.write12h, row.cacheWrite["12h"]],
    [tokens.output, row.output],
  ];
  let sum = 0n;
  for (const [count, perMillion] of parts) {
    if (count === 0) continue;
    if (perMillion === undefined) return { kind: "unpriced", reason: "unknown_cache_price" };
    sum += BigInt(count) * BigInt(perMillion);
  }
  const scale = 1_000_000n * 100n;
  return { kind: "priced", costMicroUsd: Number((sum * BigInt(percent) + scale / 2n) / scale) };
}
