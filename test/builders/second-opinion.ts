import { calcPrice, extractUsage, findProvider } from "@pydantic/genai-prices";
import { costOf } from "../../src/llm/usage/cost-of.ts";
import { importGenaiPrices } from "../../src/llm/usage/import/import-genai-prices.ts";
import { normalizeUsage } from "../../src/llm/usage/normalize-usage.ts";
import { createPriceTable, type PriceRow } from "../../src/llm/usage/price-table.ts";
import { shippedPrices } from "../../src/llm/usage/prices.ts";
import type { RecordedUsage } from "./recorded-usage.ts";
import type { Flavor, GeneratedUsage } from "./usage-sample.ts";

const at = Date.UTC(2026, 10, 1);

/** Providers without shipped prices: genai-prices' own, so that the counts are compared in money as well. */
const imported = ["google", "x-ai", "deepseek", "moonshotai", "mistral", "cohere", "aws"].flatMap((id) => {
  const provider = findProvider({ providerId: id });
  if (provider === undefined) throw new Error(`genai-prices has no provider ${id}`);
  return importGenaiPrices(JSON.parse(JSON.stringify([provider])), "genai-prices").rows;
});
const prices = createPriceTable([...shippedPrices, ...imported]);

/** What we make of an object: a cost, or a named reason. */
export function ourOpinion({ provider, model, usage }: GeneratedUsage): { readonly costMicroUsd?: number; readonly reason?: string } {
  const result = normalizeUsage(usage, provider);
  if (result.kind === "anomaly") return { reason: result.reason };
  const cost = costOf(result.tokens, prices.find(provider, model, at), result.terms);
  return cost.kind === "priced" ? { costMicroUsd: cost.costMicroUsd } : { reason: cost.reason };
}

/** What genai-prices makes of the same object, in micro-USD; undefined when it cannot read or price it. */
export function secondOpinion({ model, usage, opinion }: GeneratedUsage): number | undefined {
  if (opinion === undefined) return undefined;
  const { id, flavor } = opinion;
  const provider = findProvider({ providerId: id });
  if (provider === undefined) return undefined;
  const body = id === "google" && flavor === "default" ? { usageMetadata: usage, modelVersion: model } : { usage, model };
  try {
    const extracted = extractUsage(provider, body, flavor);
    const price = calcPrice(extracted.usage, model, { provider, timestamp: new Date(at) });
    return price === null ? undefined : price.total_price * 1_000_000;
  } catch {
    return undefined;
  }
}

/** Whether both say the same, to the rounding of one micro-dollar. */
export function agrees(ours: number, theirs: number | undefined): boolean {
  return theirs !== undefined && Math.abs(ours - theirs) <= 0.501;
}

/** How genai-prices names what a library passes on as the provider sent it; undefined for a library's own form. */
export function flavorOf({ library, provider, reads }: RecordedUsage): Flavor | undefined {
  if (library === "@anthropic-ai/sdk") return { id: "anthropic", flavor: "default" };
  if (library === "@google/genai") return { id: "google", flavor: "default" };
  if (library === "@aws-sdk/client-bedrock-runtime") return { id: "aws", flavor: "default" };
  if (library !== "openai") return undefined;
  if (reads.startsWith("responses")) return { id: "openai", flavor: "responses" };
  if (reads.startsWith("embeddings")) return { id: "openai", flavor: "embeddings" };
  const ids: Readonly<Record<string, string>> = { "gcp.gemini": "google", x_ai: "x-ai", moonshot_ai: "moonshotai" };
  return { id: ids[provider] ?? provider, flavor: "chat" };
}

/** The parts of a model's price that differ: ours and theirs, in micro-USD per million tokens. A row that we do not have differs in all. */
export function partsOfPrice(
  { provider: id, model, day }: { readonly provider: string; readonly model: string; readonly day: string },
  row: PriceRow | undefined,
): readonly { readonly part: string; readonly ours: number | undefined; readonly theirs: number | undefined }[] {
  const provider = findProvider({ providerId: id });
  const theirs = (usage: Record<string, number>) => {
    const price = provider === undefined ? null : calcPrice(usage, model, { provider, timestamp: new Date(day) });
    return price === null ? undefined : Math.round((price.total_price * 1e12) / (usage["input_tokens"] ?? 1));
  };
  if (row === undefined) return [];
  const long = row.steps.find(({ above }) => 300_000 > above);
  return [
    { part: "input", ours: row.input, theirs: theirs({ input_tokens: 1 }) },
    { part: "output", ours: row.output, theirs: theirs({ output_tokens: 1 }) },
    { part: "cacheRead", ours: row.cacheRead, theirs: theirs({ input_tokens: 1, cache_read_tokens: 1 }) },
    { part: "cacheWrite", ours: row.cacheWrite["5m"] ?? row.cacheWrite["30m"], theirs: theirs({ input_tokens: 1, cache_write_tokens: 1 }) },
    ...(id === "anthropic"
      ? [{ part: "hour", ours: row.cacheWrite["1h"], theirs: theirs({ input_tokens: 1, cache_write_tokens: 1, cache_write_1h_tokens: 1 }) }]
      : []),
    { part: "long", ours: long?.input ?? row.input, theirs: theirs({ input_tokens: 300_000 }) },
  ].filter(({ ours, theirs }) => ours !== theirs);
}
