import { z } from "zod";
import type { PriceTableSource } from "../price-table.ts";
import { collectRows, type PriceImport, priceOf, providerOf, type SkippedModel, writePrices } from "./price-import.ts";

const entry = z.looseObject({ litellm_provider: z.string().min(1).max(60), mode: z.string().optional() });
const textModes: readonly string[] = ["chat", "completion", "responses", "embedding"];

/** Prices that never apply to the tokens of a report: they are for pictures, seconds, pages and sessions, or are derived from others. */
const otherUnits =
  /_(?:per_(?:image|pixel|second|minute|character|video|page|query|session|gb|call)|cost_per_query)|_batches$|_priority$|_flex$|_above_1hr$/;

/** Reads LiteLLM's `model_prices_and_context_window.json`, whose prices have no day: they hold from `from`. Throws a ZodError for another document. */
export function importLitellmPrices(document: unknown, { from, source }: { readonly from: string; readonly source: string }): PriceImport {
  const readable: PriceTableSource[number][] = [];
  const skipped: SkippedModel[] = [];
  for (const [key, value] of Object.entries(z.record(z.string(), z.unknown()).parse(document))) {
    if (key === "sample_spec") continue;
    const parsed = entry.safeParse(value);
    const row = parsed.success ? rowOf(key, parsed.data, { from, source }) : "it names no provider";
    if (typeof row === "string") skipped.push({ model: key.slice(0, 120), reason: row });
    else readable.push(row);
  }
  return collectRows(readable, skipped);
}

function rowOf(
  key: string,
  values: z.output<typeof entry>,
  head: { readonly from: string; readonly source: string },
): PriceTableSource[number] | string {
  if (values.mode !== undefined && !textModes.includes(values.mode)) return `it is priced by another unit (${values.mode.slice(0, 40)})`;
  const provider = providerOf(values.litellm_provider);
  const model = key.startsWith(`${values.litellm_provider}/`) ? key.slice(values.litellm_provider.length + 1) : key;
  const prices = new Map<string, number>();
  for (const [name, usd] of Object.entries(values)) {
    if (!/cost/.test(name) || typeof usd !== "number" || otherUnits.test(name)) continue;
    const amount = priceOf(usd, 1);
    if (amount === undefined) return `${name.slice(0, 60)} is finer than a micro-dollar per million tokens`;
    prices.set(name, amount);
  }
  const [input, output] = [prices.get("input_cost_per_token"), prices.get("output_cost_per_token")];
  if (input === undefined || output === undefined) return "it has no price for input or for output";
  if (input === 0 && output === 0) return "its price is 0, which in this list may mean unknown; a free model goes into a row of your own";
  const reasoning = prices.get("output_cost_per_reasoning_token");
  if (reasoning !== undefined && reasoning !== output) return "its reasoning has a price of its own";
  const steps = stepsOf(prices, { provider, input, output });
  const unread = [...prices.keys()].find((name) => !readNames.test(name));
  if (unread !== undefined) return `nothing is known of ${unread.slice(0, 60)}`;
  const [audioInput, audioOutput] = [prices.get("input_cost_per_audio_token"), prices.get("output_cost_per_audio_token")];
  const hour = values["cache_creation_input_token_cost_above_1hr"];
  const tiers = { batches: percentOf(values, "batches"), flex: percentOf(values, "flex"), priority: percentOf(values, "priority") };
  return {
    provider,
    model: model.slice(0, 120),
    ...head,
    input,
    output,
    ...(prices.has("cache_read_input_token_cost") && { cacheRead: prices.get("cache_read_input_token_cost") }),
    cacheWrite: writePrices(
      provider,
      prices.get("cache_creation_input_token_cost"),
      typeof hour === "number" ? priceOf(hour, 1) : undefined,
    ),
    steps,
    tiers: {
      ...(tiers.batches !== undefined && { batch: tiers.batches }),
      ...(tiers.flex !== undefined && { flex: tiers.flex }),
      ...(tiers.priority !== undefined && { priority: tiers.priority }),
    },
    ...((audioInput ?? audioOutput) !== undefined && {
      audio: { ...(audioInput !== undefined && { input: audioInput }), ...(audioOutput !== undefined && { output: audioOutput }) },
    }),
  };
}

const readNames =
  /^(?:(?:input|output)_cost_per_(?:audio_)?token|output_cost_per_reasoning_token|cache_(?:read|creation)_input_token_cost|(?:(?:input|output)_cost_per_token|cache_(?:read|creation)_input_token_cost)_above_\d+k_tokens)$/;

function stepsOf(
  prices: ReadonlyMap<string, number>,
  { provider, input, output }: { readonly provider: string; readonly input: number; readonly output: number },
) {
  const thousands = [...prices.keys()].flatMap((name) => /_above_(\d{1,6})k_tokens$/.exec(name)?.[1] ?? []);
  return [...new Set(thousands)].map((k) => {
    const at = (name: string) => prices.get(`${name}_above_${k}k_tokens`);
    const read = at("cache_read_input_token_cost");
    return {
      above: Number(k) * 1000,
      input: at("input_cost_per_token") ?? input,
      output: at("output_cost_per_token") ?? output,
      ...(read !== undefined && { cacheRead: read }),
      cacheWrite: writePrices(provider, at("cache_creation_input_token_cost")),
    };
  });
}

/** Percent of the list price; undefined when input, output and cached tokens have not the same. */
function percentOf(values: Readonly<Record<string, unknown>>, tier: string): number | undefined {
  const names = ["input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost"];
  const ratios = names.map((name) => {
    const [list, price] = [values[name], values[`${name}_${tier}`]];
    return typeof list === "number" && typeof price === "number" && list > 0 ? Math.round((price / list) * 1e6) / 1e4 : undefined;
  });
  const [input, output, read] = ratios;
  const hasCache = typeof values["cache_read_input_token_cost"] === "number";
  if (input === undefined || input !== output || !Number.isInteger(input)) return undefined;
  // A discount that the list does not give for cached tokens may not hold for them.
  return !hasCache || read === input ? input : undefined;
}
