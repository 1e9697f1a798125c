import { readFileSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { ZodError } from "zod";
import { readPrices } from "../../app/read-prices.ts";
import { dayMs } from "../../core/duration.ts";
import { oneLine } from "../../core/one-line.ts";
import { importGenaiPrices } from "../../llm/usage/import/import-genai-prices.ts";
import { importLitellmPrices } from "../../llm/usage/import/import-litellm-prices.ts";
import type { PriceImport } from "../../llm/usage/import/price-import.ts";
import { type PriceRow, priceTableSchema } from "../../llm/usage/price-table.ts";
import { type CommandContext, exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, type CommandInvocation, flagOption, textOption } from "../define-command.ts";
import { readConfigOrExplain } from "../read-config.ts";

/** `runbookd prices …`: what tokens cost, from the shipped table and the files of `price_table` and `price_overlay`. */
export function pricesCommands(): readonly CommandDefinition[] {
  return [listCommand, showCommand, checkCommand, importCommand];
}

const listCommand: CommandDefinition = {
  usage: "list",
  summary: "List prices in USD per million tokens with the days on which they hold and where they were read",
  examples: ["runbookd prices list --provider openai"],
  options: [{ flags: "--provider <provider>", description: "only of this provider, as usage reports name it" }],
  run(_args, invocation) {
    const { context } = invocation;
    const prices = openPrices(context);
    if (typeof prices === "number") return Promise.resolve(prices);
    const provider = textOption(invocation, "provider");
    const rows = prices.rows.filter((row) => provider === undefined || row.provider === provider);
    if (flagOption(invocation, "json")) writeJson(context, { items: rows.map(describe) });
    else {
      const head = ["PROVIDER", "MODEL", "FROM", "UNTIL", "INPUT", "CACHED", "OUTPUT", "SOURCE"];
      context.write(renderTable([head, ...rows.map(cellsOf)]));
    }
    return Promise.resolve(exitCodes.ok);
  },
};

const showCommand: CommandDefinition = {
  usage: "show <provider> <model>",
  summary: "Show what a model costs on a day, or that it has no price",
  examples: ["runbookd prices show anthropic claude-sonnet-4-5-20250929", "runbookd prices show openai gpt-5.6-sol --at 2026-08-01 --json"],
  options: [{ flags: "--at <day>", description: "the day in UTC, e.g. 2026-08-01; today when absent" }],
  run([provider = "", model = ""], invocation) {
    const { context } = invocation;
    const day = textOption(invocation, "at");
    const at = day === undefined ? context.clock.now() : /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(day) : Number.NaN;
    if (Number.isNaN(at)) {
      context.warn(`--at is ${oneLine(day ?? "")}; accepted: a day such as 2026-08-01.\n`);
      return Promise.resolve(exitCodes.usage);
    }
    const prices = openPrices(context);
    if (typeof prices === "number") return Promise.resolve(prices);
    const row = prices.find(provider, model, at);
    const shownDay = new Date(at).toISOString().slice(0, 10);
    if (row === undefined) {
      if (flagOption(invocation, "json")) writeJson(context, { provider, model, at: shownDay, unpriced: "unknown_model" });
      else
        context.warn(
          `${oneLine(provider)}/${oneLine(model)} has no price on ${shownDay}; a row in the file of price_overlay gives it one.\n`,
        );
      return Promise.resolve(exitCodes.no);
    }
    if (flagOption(invocation, "json")) writeJson(context, { ...describe(row), at: shownDay });
    else context.write(renderTable([["WHAT", "USD"], ...linesOf(row)]));
    return Promise.resolve(exitCodes.ok);
  },
};

const checkCommand: CommandDefinition = {
  usage: "check <file>",
  summary: "Check a price table before price_table or price_overlay names it; every wrong row is named",
  examples: ["runbookd prices check our-prices.json"],
  run([file = ""], invocation) {
    const { context } = invocation;
    const document = readDocument(context, file);
    if (document === undefined) return Promise.resolve(exitCodes.no);
    const parsed = priceTableSchema.safeParse(document.value);
    const faults = parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join(".") || "(whole)"}: ${message}`);
    if (flagOption(invocation, "json")) writeJson(context, { rows: parsed.data?.length ?? 0, faults });
    else if (parsed.success) context.write(`${oneLine(file)}: ${parsed.data.length} rows, no faults\n`);
    else for (const fault of faults) context.warn(`${oneLine(file)}: ${oneLine(fault)}\n`);
    return Promise.resolve(parsed.success ? exitCodes.ok : exitCodes.no);
  },
};

const formats = ["genai-prices", "litellm"] as const;

const importCommand: CommandDefinition = {
  usage: "import <file>",
  summary: "Turn a list of prices that others publish into a price table; what cannot be expressed exactly is left out and named",
  examples: [
    "runbookd prices import data.json --format genai-prices --output prices.json",
    "runbookd prices import model_prices_and_context_window.json --format litellm --provider gcp.gemini --output gemini.json",
  ],
  options: [
    { flags: "--format <format>", description: "whose list it is", choices: formats },
    { flags: "--provider <provider>", description: "only of this provider, as usage reports name it" },
    { flags: "--from <day>", description: "first day of prices without one; 7 days ago when absent" },
    { flags: "--output <file>", description: "file to write; standard output when absent" },
  ],
  run([file = ""], invocation) {
    const { context } = invocation;
    const format = textOption(invocation, "format");
    const from = textOption(invocation, "from") ?? new Date(context.clock.now() - 7 * dayMs).toISOString().slice(0, 10);
    if (format === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(from)) {
      const wrong =
        format === undefined ? `--format is needed; accepted: ${formats.join(", ")}` : "--from is no day; accepted: e.g. 2026-08-01";
      context.warn(`${wrong}.\n`);
      return Promise.resolve(exitCodes.usage);
    }
    const document = readDocument(context, file);
    if (document === undefined) return Promise.resolve(exitCodes.no);
    const source = `${format}, ${new Date(context.clock.now()).toISOString().slice(0, 10)}`;
    const imported = importAs(format, document.value, { from, source });
    if (imported === undefined) {
      context.warn(`${oneLine(file)} is no list of ${format}.\n`);
      return Promise.resolve(exitCodes.no);
    }
    return Promise.resolve(writeImport(invocation, imported));
  },
};

function importAs(format: string, document: unknown, head: { readonly from: string; readonly source: string }): PriceImport | undefined {
  try {
    return format === "litellm" ? importLitellmPrices(document, head) : importGenaiPrices(document, head.source);
  } catch (error) {
    if (error instanceof ZodError) return undefined;
    throw error;
  }
}

/** Models that are named; all of them are counted. */
const namedModels = 20;

function writeImport(invocation: CommandInvocation, { rows, skipped }: PriceImport) {
  const { context } = invocation;
  const provider = textOption(invocation, "provider");
  const wanted = priceTableSchema.safeParse(rows.filter((row) => provider === undefined || row.provider === provider));
  if (!wanted.success) {
    context.warn(`The list gives a row that no price table has: ${oneLine(wanted.error.issues[0]?.message ?? "")}\n`);
    return exitCodes.no;
  }
  const text = `${JSON.stringify(wanted.data, undefined, 2)}\n`;
  const output = textOption(invocation, "output");
  if (output === undefined) context.write(text);
  else writeFileSync(resolve(context.workingDirectory, output), text);
  for (const { model, reason } of skipped.slice(0, namedModels)) context.warn(`left out: ${oneLine(model)}: ${oneLine(reason)}\n`);
  context.warn(`${wanted.data.length} rows, ${skipped.length} models of the whole list left out\n`);
  return exitCodes.ok;
}

/** More than any list of prices has. */
const maxBytes = 64 * 1024 * 1024;

function readDocument(context: CommandContext, file: string): { readonly value: unknown } | undefined {
  const path = resolve(context.workingDirectory, file);
  try {
    if (statSync(path).size > maxBytes) throw new Error("it is larger than 64 MiB");
    return { value: JSON.parse(readFileSync(path, "utf8")) };
  } catch (error) {
    context.warn(`${oneLine(file)} cannot be read: ${oneLine(error instanceof Error ? error.message : String(error))}\n`);
    return undefined;
  }
}

function openPrices(context: CommandContext) {
  const config = readConfigOrExplain(context);
  if (config === undefined) return exitCodes.refused;
  try {
    return readPrices(config, context.workingDirectory);
  } catch (error) {
    context.warn(`The price table cannot be read: ${oneLine(error instanceof Error ? error.message : String(error))}\n`);
    return exitCodes.refused;
  }
}

/** In USD per million tokens. */
function describe(row: PriceRow) {
  const { provider, model, from, until, input, output, cacheRead, cacheWrite, steps, tiers, speeds, geographies, tools, source } = row;
  return {
    provider,
    model,
    from,
    ...(until !== undefined && { until }),
    inputPerMTok: usd(input),
    ...(cacheRead !== undefined && { cachedInputPerMTok: usd(cacheRead) }),
    outputPerMTok: usd(output),
    cacheWritePerMTok: Object.fromEntries(
      Object.entries(cacheWrite).flatMap(([lifetime, price]) => (price === undefined ? [] : [[lifetime, usd(price)]])),
    ),
    steps: steps.map((step) => ({ above: step.above, inputPerMTok: usd(step.input), outputPerMTok: usd(step.output) })),
    percent: { tiers, speeds, geographies },
    toolsPerThousand: Object.fromEntries(Object.entries(tools).map(([tool, price]) => [tool, usd(price)])),
    ...(source !== undefined && { source }),
  };
}

function usd(price: number): number {
  return price / 1_000_000;
}

function cellsOf({ provider, model, from, until = "", input, cacheRead, output, source = "" }: PriceRow): readonly string[] {
  return [
    provider,
    model,
    from,
    until,
    String(usd(input)),
    cacheRead === undefined ? "" : String(usd(cacheRead)),
    String(usd(output)),
    source,
  ];
}

function linesOf(row: PriceRow): readonly (readonly string[])[] {
  const per = (name: string, price: number | undefined) => (price === undefined ? [] : [[name, `${usd(price)} per million`]]);
  const percents = [row.tiers, row.speeds, row.geographies].flatMap((list) => Object.entries(list));
  return [
    ["model", `${row.provider}/${row.model}, from ${row.from}${row.until === undefined ? "" : ` until ${row.until}`}`],
    ...per("input", row.input),
    ...per("cached input", row.cacheRead),
    ...Object.entries(row.cacheWrite).flatMap(([lifetime, price]) => per(`cache write, ${lifetime}`, price)),
    ...per("output", row.output),
    ...per("audio input", row.audio?.input),
    ...per("audio output", row.audio?.output),
    ...row.steps.flatMap((step) => [
      ...per(`input above ${step.above} prompt tokens`, step.input),
      ...per(`output above ${step.above} prompt tokens`, step.output),
    ]),
    ...percents.map(([name, percent]) => [name, `${percent} % of it`]),
    ...Object.entries(row.tools).map(([tool, price]) => [tool, `${usd(price)} per thousand requests`]),
    ["source", row.source ?? "not said"],
  ];
}
