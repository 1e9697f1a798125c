import type { PriceTableSource } from "../price-table.ts";

/** What became of a list of prices that others publish. */
export interface PriceImport {
  readonly rows: PriceTableSource;
  /** Models without a row: a price that this table cannot express is left out, never bent. */
  readonly skipped: readonly SkippedModel[];
}

/** A model of the list that has no row, and why. Both texts come from the list. */
export interface SkippedModel {
  readonly model: string;
  readonly reason: string;
}

/** OpenTelemetry's names of providers that the lists call otherwise. */
const providers: ReadonlyMap<string, string> = new Map([
  ["aws", "aws.bedrock"],
  ["bedrock", "aws.bedrock"],
  ["bedrock_converse", "aws.bedrock"],
  ["azure", "azure.ai.openai"],
  ["google", "gcp.gemini"],
  ["gemini", "gcp.gemini"],
  ["mistral", "mistral_ai"],
  ["x-ai", "x_ai"],
  ["xai", "x_ai"],
  ["moonshot", "moonshot_ai"],
  ["moonshotai", "moonshot_ai"],
]);

/** The provider as usage reports name it. */
export function providerOf(name: string): string {
  if (name.startsWith("vertex_ai")) return "gcp.vertex_ai";
  return providers.get(name) ?? name.replace(/_chat$/, "");
}

/** Converts a price in USD for `tokens` tokens to micro-USD per million tokens; undefined when that is no whole number. */
export function priceOf(usd: number, tokens: number): number | undefined {
  const exact = (usd * 1_000_000 * 1_000_000) / tokens;
  const rounded = Math.round(exact);
  return Number.isFinite(exact) && exact >= 0 && Math.abs(exact - rounded) <= Math.max(1, exact) * 1e-9 ? rounded : undefined;
}

/** Writes to the cache by the lifetimes that the provider has. */
export function writePrices(provider: string, write: number | undefined, hour?: number): Record<string, number> {
  const isOpenAi = provider === "openai" || provider === "azure.ai.openai";
  return {
    ...(write !== undefined && (isOpenAi ? { "30m": write, "12h": write } : { "5m": write })),
    ...(hour !== undefined && !isOpenAi && { "1h": hour }),
  };
}

/** Rows by provider, model and day. Two different prices for the same day leave the model out. */
export function collectRows(readable: readonly PriceTableSource[number][], skipped: readonly SkippedModel[]): PriceImport {
  const rows = new Map<string, PriceTableSource[number]>();
  const conflicts = new Set<string>();
  for (const row of readable) {
    const key = `${row.provider} ${row.model} ${row.from}`;
    const other = rows.get(key);
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(row)) conflicts.add(key);
    rows.set(key, other ?? row);
  }
  const clashing = [...conflicts].map((key) => ({ model: key, reason: "the list has two prices for it" }));
  return { rows: [...rows].filter(([key]) => !conflicts.has(key)).map(([, row]) => row), skipped: [...skipped, ...clashing] };
}
