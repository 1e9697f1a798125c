import { z } from "zod";
import type { PriceTableSource } from "../price-table.ts";
import { collectRows, type PriceImport, priceOf, providerOf, type SkippedModel, writePrices } from "./price-import.ts";

const steppedPrice = z.strictObject({
  base: z.number(),
  tiers: z.array(z.strictObject({ start: z.int().min(1), price: z.number() })).max(10),
});
const price = z.union([z.number(), steppedPrice]).nullish();
/** Strict: a kind of price that is not here would be lost. */
const modelPrices = z.strictObject({
  input_mtok: price,
  cache_write_mtok: price,
  cache_read_mtok: price,
  output_mtok: price,
  input_audio_mtok: price,
  cache_audio_read_mtok: price,
  output_audio_mtok: price,
});
type ModelPrices = z.output<typeof modelPrices>;

const provider = z.object({
  id: z.string().min(1).max(60),
  models: z.array(z.object({ id: z.string().min(1).max(120), match: z.unknown(), prices: z.unknown() })).max(10_000),
});
const conditional = z.object({ constraint: z.unknown().optional(), prices: z.unknown() });
const startDate = z.object({ start_date: z.iso.date() });

/** Prices without a first day have held since the first of the providers had an interface. */
const always = "2020-01-01";

/** Reads `data.json` of pydantic's genai-prices. Throws a ZodError when it is another document. */
export function importGenaiPrices(document: unknown, source: string): PriceImport {
  const readable: PriceTableSource[number][] = [];
  const skipped: SkippedModel[] = [];
  for (const { id, models } of z.array(provider).max(1000).parse(document)) {
    for (const model of models) {
      const rows = rowsOf(providerOf(id), model.prices, source);
      if (typeof rows === "string") skipped.push({ model: `${id}/${model.id}`, reason: rows });
      else for (const name of namesOf(model.id, model.match)) readable.push(...rows.map((row) => ({ ...row, model: name })));
    }
  }
  return collectRows(readable, skipped);
}

/** Rows without their model, one for each day on which the price changed, or why there are none. */
function rowsOf(provider: string, prices: unknown, source: string): readonly PriceTableSource[number][] | string {
  const list = Array.isArray(prices) ? prices : [{ prices }];
  const rows: PriceTableSource[number][] = [];
  for (const entry of list) {
    const parsed = conditional.safeParse(entry);
    if (!parsed.success) return "its prices cannot be read";
    const { constraint } = parsed.data;
    const dated = startDate.safeParse(constraint);
    if (constraint !== undefined && constraint !== null && !dated.success) return "its price depends on something other than the day";
    const values = modelPrices.safeParse(parsed.data.prices);
    if (!values.success) return `it has a kind of price that this table cannot express: ${values.error.issues[0]?.message ?? ""}`;
    const row = rowOf(values.data, { provider, from: dated.data?.start_date ?? always, source });
    if (typeof row === "string") return row;
    rows.push(row);
  }
  return rows;
}

function rowOf(
  values: ModelPrices,
  head: { readonly provider: string; readonly from: string; readonly source: string },
): PriceTableSource[number] | string {
  const starts = new Set(
    Object.values(values).flatMap((value) => (typeof value === "object" && value !== null ? value.tiers.map(({ start }) => start) : [])),
  );
  const amounts = amountsAt(values, 0);
  if (typeof amounts === "string") return amounts;
  const { input, output } = amounts;
  if (input === undefined || output === undefined) return "it has no price for input or for output";
  const steps = [];
  for (const above of [...starts].toSorted((a, b) => a - b)) {
    const stepped = amountsAt(values, above);
    if (typeof stepped === "string") return stepped;
    steps.push({ above, input: stepped.input ?? input, output: stepped.output ?? output, ...cacheOf(head.provider, stepped) });
  }
  const { audioInput, audioRead, audioOutput } = amounts;
  const audio = {
    ...(audioInput !== undefined && { input: audioInput }),
    ...(audioRead !== undefined && { cacheRead: audioRead }),
    ...(audioOutput !== undefined && { output: audioOutput }),
  };
  return { ...head, model: "", input, output, ...cacheOf(head.provider, amounts), steps, ...(Object.keys(audio).length > 0 && { audio }) };
}

interface Amounts {
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  readonly read?: number | undefined;
  readonly write?: number | undefined;
  readonly audioInput?: number | undefined;
  readonly audioRead?: number | undefined;
  readonly audioOutput?: number | undefined;
}

function cacheOf(provider: string, { read, write }: Amounts) {
  return { ...(read !== undefined && { cacheRead: read }), cacheWrite: writePrices(provider, write) };
}

/** Prices of a prompt just above this many tokens. */
function amountsAt(values: ModelPrices, above: number): Amounts | string {
  let isWhole = true;
  const at = (value: z.output<typeof price>): number | undefined => {
    if (value === null || value === undefined) return undefined;
    const usd =
      typeof value === "number"
        ? value
        : (value.tiers.filter(({ start }) => start <= above).toSorted((a, b) => b.start - a.start)[0]?.price ?? value.base);
    const amount = priceOf(usd, 1_000_000);
    isWhole &&= amount !== undefined;
    return amount;
  };
  const amounts = {
    input: at(values.input_mtok),
    output: at(values.output_mtok),
    read: at(values.cache_read_mtok),
    write: at(values.cache_write_mtok),
    audioInput: at(values.input_audio_mtok),
    audioRead: at(values.cache_audio_read_mtok),
    audioOutput: at(values.output_audio_mtok),
  };
  return isWhole ? amounts : "a price is finer than a micro-dollar per million tokens";
}

/** The model's id and the names that its rule gives in full. Rules by a part of the name are not names. */
function namesOf(id: string, match: unknown): readonly string[] {
  const parsed = z.object({ equals: z.string().min(1).max(120) }).safeParse(match);
  const either = z.object({ or: z.array(z.unknown()).max(1000) }).safeParse(match);
  const names = parsed.success ? [parsed.data.equals] : either.success ? either.data.or.flatMap((clause) => equalsOf(clause)) : [];
  return [...new Set([id, ...names])];
}

function equalsOf(clause: unknown): readonly string[] {
  const parsed = z.object({ equals: z.string().min(1).max(120) }).safeParse(clause);
  return parsed.success ? [parsed.data.equals] : [];
}
