import { z } from "zod";
import type { Instant } from "../../core/clock.ts";

const price = z.int().min(0).max(1_000_000_000_000);
const percentages = z.record(z.string().max(60), z.int().min(0).max(10_000)).default({});
const cacheWrite = z
  .strictObject({ "5m": price.optional(), "30m": price.optional(), "1h": price.optional(), "12h": price.optional() })
  .default({});
const modal = z.strictObject({ input: price.optional(), cacheRead: price.optional(), output: price.optional() });

/**
 * One dated row. Prices are micro-USD per million tokens: $3 per million is 3 000 000. A price that is absent is unknown, never 0; 0 is free.
 */
export const priceRowSchema = z.strictObject({
  /** OTel's provider name, e.g. `anthropic`, `openai`. */
  provider: z.string().min(1).max(60),
  /** The model's id without its date: `claude-sonnet-4-5` also prices `claude-sonnet-4-5-20250929`, unless that has a row of its own. */
  model: z.string().min(1).max(120),
  /** First day (UTC) on which the price holds. */
  from: z.iso.date(),
  /** First day (UTC) on which it no longer holds; it holds until the next row when absent. */
  until: z.iso.date().optional(),
  input: price,
  output: price,
  cacheRead: price.optional(),
  cacheWrite,
  /** Tokens of sound and of pictures. Without a row they have no price. */
  audio: modal.optional(),
  image: modal.optional(),
  /** What the whole request costs when its prompt has more than `above` tokens; the highest step that is exceeded counts. */
  steps: z
    .array(
      z.strictObject({
        above: z.int().min(1).max(10_000_000_000),
        input: price,
        output: price,
        cacheRead: price.optional(),
        cacheWrite,
      }),
    )
    .max(10)
    .default([]),
  /** Percent of the list price by service tier. A tier that is not here is not priced. Tiers, speeds and geographies multiply each other. */
  tiers: percentages,
  /** Percent of the list price by speed, e.g. `fast`. */
  speeds: percentages,
  /** Percent of the list price by the region in which the request was computed. */
  geographies: percentages,
  /** Micro-USD per thousand requests to a tool of the provider, e.g. `web_search`. No percentage applies to them. */
  tools: z.record(z.string().max(60), price).default({}),
  /** Where the price was read, and when. */
  source: z.string().max(300).optional(),
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
    if (row.until !== undefined && row.until <= row.from)
      context.addIssue({ code: "custom", path: [index, "until"], message: `it ends on ${row.until}, before it begins` });
    rowKeys.add(key);
  }
});

/** Looks prices up. */
export interface PriceTable {
  find(provider: string, model: string, at: Instant): PriceRow | undefined;
  /** All rows by provider, model and day; a row that another goes before is among them. */
  readonly rows: readonly PriceRow[];
}

/**
 * Rows of `overlay` go before those of `source` for the same model, on the days on which they hold.
 * Throws a ZodError that names each wrong row; a caller with an untrusted file uses `priceTableSchema` first.
 */
export function createPriceTable(source: PriceTableSource, overlay: PriceTableSource = []): PriceTable {
  const rows = [...datedRows(overlay, 0), ...datedRows(source, 1)];
  const byProvider = new Map<string, DatedRow[]>();
  for (const dated of rows) byProvider.set(dated.row.provider, [...(byProvider.get(dated.row.provider) ?? []), dated]);
  const keyOf = ({ row }: DatedRow) => `${row.provider} ${row.model} ${row.from}`;
  return {
    rows: rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).map(({ row }) => row),
    find(provider, model, at) {
      const fitting = (byProvider.get(provider) ?? []).filter(({ row }) => isSameModel(row.model, model));
      // A dated model with a row of its own has that one's prices or none: never those of its family.
      const nearest = Math.max(...fitting.map(({ row }) => row.model.length));
      return fitting
        .filter(({ row, from, until }) => row.model.length === nearest && from <= at && at < until)
        .toSorted((a, b) => a.layer - b.layer || b.from - a.from)[0]?.row;
    },
  };
}

interface DatedRow {
  readonly row: PriceRow;
  readonly layer: number;
  readonly from: Instant;
  readonly until: Instant;
}

/** A row without an end ends where the next row of the same model begins, so that an earlier price never holds again after a later one ended. */
function datedRows(source: PriceTableSource, layer: number): readonly DatedRow[] {
  const rows = priceTableSchema.parse(source);
  const starts = new Map<string, Instant[]>();
  const nameOf = (row: PriceRow) => `${row.provider} ${row.model}`;
  for (const row of rows) starts.set(nameOf(row), [...(starts.get(nameOf(row)) ?? []), Date.parse(row.from)]);
  return rows.map((row) => {
    const from = Date.parse(row.from);
    const next = Math.min(...(starts.get(nameOf(row)) ?? []).filter((start) => start > from));
    return { row, layer, from, until: Math.min(next, row.until === undefined ? Infinity : Date.parse(row.until)) };
  });
}

/** What may follow a known id: a date, `latest`, a hosting version. `gpt-5` does not price `gpt-5-mini` or `gpt-5.6`. */
const datedSuffix = /^(?:[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|latest|v\d+(?::\d+)?))*$/;

/** Whether `model` is the listed one, perhaps with a date or version behind its id. */
export function isSameModel(listedModel: string, model: string): boolean {
  return model.startsWith(listedModel) && datedSuffix.test(model.slice(listedModel.length));
}

/** Tokens that have a price of their own. They are part of the partition's `uncached`, `read` and `output`. */
export interface ModalTokens {
  readonly input?: number | undefined;
  readonly read?: number | undefined;
  readonly output?: number | undefined;
}

/** What decides the price besides tokens and model. */
export interface PriceTerms {
  readonly serviceTier?: string;
  readonly speed?: string;
  readonly geography?: string;
  readonly audio?: ModalTokens;
  readonly image?: ModalTokens;
  /** Requests to tools of the provider, by name. */
  readonly tools?: Readonly<Record<string, number>>;
  /** Words beside the counts that have no meaning here; any of them may change the price. */
  readonly unread?: readonly string[];
  /** Whether the tokens may be those of several requests, of which no size is known: a price by size is unknown above that size. */
  readonly isSum?: boolean;
}
