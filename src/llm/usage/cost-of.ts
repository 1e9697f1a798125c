import type { TokenPartition, unpricedReasons } from "../../../packages/sdk/src/wire/usage.ts";
import type { MicroUsd } from "../../core/money.ts";
import type { PriceRow, PriceTerms } from "./price-table.ts";
import { inputTokens } from "./token-partition.ts";

/** What a request costs, or why that is unknown. Unknown is counted and shown, never zero. */
export type CostResult = { readonly kind: "priced"; readonly costMicroUsd: MicroUsd } | UnpricedCost;

/** Why there is no price; `detail` names what has none. */
interface UnpricedCost {
  readonly kind: "unpriced";
  readonly reason: (typeof unpricedReasons)[number];
  readonly detail: string;
}

/** Words that mean the list price. */
const listTiers: readonly string[] = ["standard", "default", "auto", "on_demand", ""];
const listSpeeds: readonly string[] = ["standard", "default", ""];
const listGeographies: readonly string[] = ["global", "not_available", "default", ""];

/** One rounding per request, half up; exact before it. */
export function costOf(tokens: TokenPartition, row: PriceRow | undefined, terms: PriceTerms = {}): CostResult {
  if (row === undefined) return unpriced("unknown_model", "there is no price of this model on that day");
  if (terms.unread !== undefined) return unpriced("unknown_modifier", `nothing is known of ${terms.unread.join(", ")} beside the counts`);
  const multiplier = multiplierOf(row, terms);
  if (typeof multiplier !== "bigint") return multiplier;
  const sum = sumOfTokens(tokens, row, terms);
  if (typeof sum !== "bigint") return sum;
  const tools = sumOfTools(row, terms);
  if (typeof tools !== "bigint") return tools;
  const exact = sum * multiplier + tools;
  return { kind: "priced", costMicroUsd: Number((exact + scale / 2n) / scale) };
}

/** Three percentages on a price per million. */
const scale = 1_000_000n * 1_000_000n;

/** The product of the percentages of tier, speed and geography: 1 000 000 at list price. */
function multiplierOf(row: PriceRow, { serviceTier = "", speed = "", geography = "" }: PriceTerms): bigint | UnpricedCost {
  const tier = percentOf(row.tiers, serviceTier, listTiers);
  if (tier === undefined) return unpriced("unknown_tier", `service tier ${nameOf(serviceTier)} of ${row.model} has no price`);
  const fast = percentOf(row.speeds, speed, listSpeeds);
  if (fast === undefined) return unpriced("unknown_modifier", `speed ${nameOf(speed)} of ${row.model} has no price`);
  const place = percentOf(row.geographies, geography, listGeographies);
  if (place === undefined) return unpriced("unknown_modifier", `geography ${nameOf(geography)} of ${row.model} has no price`);
  return BigInt(tier) * BigInt(fast) * BigInt(place);
}

function percentOf(percentages: Readonly<Record<string, number>>, name: string, listed: readonly string[]): number | undefined {
  if (Object.hasOwn(percentages, name)) return percentages[name];
  return listed.includes(name.toLowerCase()) ? 100 : undefined;
}

function sumOfTokens(tokens: TokenPartition, row: PriceRow, { audio = {}, image = {}, isSum = false }: PriceTerms): bigint | UnpricedCost {
  const prompt = inputTokens(tokens);
  const step = row.steps.filter(({ above }) => prompt > above).toSorted((a, b) => b.above - a.above)[0];
  if (isSum && step !== undefined)
    return unpriced(
      "unknown_step_price",
      `these may be the tokens of several requests, and ${row.model} has another price for one of more than ${step.above} prompt tokens`,
    );
  const { input, output, cacheRead, cacheWrite } = step ?? row;
  const modal = { input: audio.input ?? 0, read: audio.read ?? 0, output: audio.output ?? 0 };
  const pictures = { input: image.input ?? 0, read: image.read ?? 0, output: image.output ?? 0 };
  if (
    step !== undefined &&
    Object.values({ ...modal, pictures: pictures.input + pictures.read + pictures.output }).some((count) => count > 0)
  )
    return unpriced("unknown_step_price", `audio and image tokens of ${row.model} have no price above ${step.above} prompt tokens`);
  const text = [
    [tokens.uncached - modal.input - pictures.input, input],
    [tokens.read - modal.read - pictures.read, cacheRead],
    [tokens.write5m, cacheWrite["5m"]],
    [tokens.write30m, cacheWrite["30m"]],
    [tokens.write1h, cacheWrite["1h"]],
    [tokens.write12h, cacheWrite["12h"]],
    [tokens.output - modal.output - pictures.output, output],
  ] as const;
  const other = [
    [modal.input, row.audio?.input],
    [modal.read, row.audio?.cacheRead],
    [modal.output, row.audio?.output],
    [pictures.input, row.image?.input],
    [pictures.read, row.image?.cacheRead],
    [pictures.output, row.image?.output],
  ] as const;
  const [texts, others] = [productsOf(text), productsOf(other)];
  if (texts === undefined && step !== undefined)
    return unpriced("unknown_step_price", `cached tokens of ${row.model} have no price above ${step.above} prompt tokens`);
  if (texts === undefined)
    return unpriced("unknown_cache_price", `tokens read from or written to the cache of ${row.model} have no price for that lifetime`);
  if (others === undefined) return unpriced("unknown_modality_price", `audio or image tokens of ${row.model} have no price`);
  return texts + others;
}

/** Undefined when something that was used has no price. */
function productsOf(parts: readonly (readonly [number, number | undefined])[]): bigint | undefined {
  let sum = 0n;
  for (const [count, perMillion] of parts) {
    if (count === 0) continue;
    if (perMillion === undefined) return undefined;
    sum += BigInt(count) * BigInt(perMillion);
  }
  return sum;
}

/** Requests to tools, in the scale of tokens at list price. */
function sumOfTools(row: PriceRow, { tools = {} }: PriceTerms): bigint | UnpricedCost {
  let sum = 0n;
  for (const [tool, requests] of Object.entries(tools)) {
    const perThousand = Object.hasOwn(row.tools, tool) ? row.tools[tool] : undefined;
    if (perThousand === undefined) return unpriced("unknown_tool_price", `requests to ${nameOf(tool)} have no price with ${row.model}`);
    sum += BigInt(requests) * BigInt(perThousand);
  }
  return sum * (scale / 1000n);
}

function unpriced(reason: UnpricedCost["reason"], detail: string): UnpricedCost {
  return { kind: "unpriced", reason, detail };
}

/** Words come from outside. */
function nameOf(word: string): string {
  return word.replaceAll(/[^\w.-]/g, "?").slice(0, 40);
}
