import type { PriceTableSource } from "./price-table.ts";

/** Computing in the United States only. */
const geographies = { us: 110 };

/**
 * Published list prices, in micro-USD per million tokens, as the providers' price pages showed them in September 2026. Data, not law: a contract's own prices go
 * into a table of one's own, and a model that is missing here is shown as unpriced.
 */
export const shippedPrices: PriceTableSource = [
  ...anthropic("claude-opus-5", "2026-01-01", { input: 5_000_000, output: 25_000_000, geographies }),
  ...anthropic("claude-opus-4-8", "2026-01-01", { input: 5_000_000, output: 25_000_000, geographies, speeds: { fast: 200 } }),
  ...anthropic("claude-opus-4-7", "2026-01-01", { input: 5_000_000, output: 25_000_000, geographies }),
  ...anthropic("claude-opus-4-6", "2026-01-01", { input: 5_000_000, output: 25_000_000, geographies, isLongDearer: true }),
  ...anthropic("claude-opus-4-6", "2026-03-13", { input: 5_000_000, output: 25_000_000, geographies }),
  ...anthropic("claude-opus-4-5", "2025-11-01", { input: 5_000_000, output: 25_000_000 }),
  ...anthropic("claude-opus-4-1", "2025-08-01", { input: 15_000_000, output: 75_000_000 }),
  ...anthropic("claude-opus-4", "2025-05-01", { input: 15_000_000, output: 75_000_000 }),
  ...anthropic("claude-sonnet-5", "2026-01-01", { input: 2_000_000, output: 10_000_000, geographies }),
  ...anthropic("claude-sonnet-4-6", "2026-01-01", { input: 3_000_000, output: 15_000_000, geographies, isLongDearer: true }),
  ...anthropic("claude-sonnet-4-6", "2026-03-13", { input: 3_000_000, output: 15_000_000, geographies }),
  // Since 30 April 2026 these two answer no prompt of more than 200 000 tokens.
  ...anthropic("claude-sonnet-4-5", "2025-09-01", { input: 3_000_000, output: 15_000_000, isLongDearer: true }),
  ...anthropic("claude-sonnet-4", "2025-05-01", { input: 3_000_000, output: 15_000_000, isLongDearer: true }),
  ...anthropic("claude-haiku-4-5", "2025-10-01", { input: 1_000_000, output: 5_000_000 }),
  ...anthropic("claude-3-5-haiku", "2024-11-01", { input: 800_000, output: 4_000_000 }),
  // This snapshot kept the price that it came with.
  {
    provider: "openai",
    model: "gpt-4o-2024-05-13",
    from: "2024-05-13",
    input: 5_000_000,
    output: 15_000_000,
    tiers: { batch: 50 },
    source: openAiPage(),
  },
  ...openai("gpt-4o", "2024-10-01", { input: 2_500_000, cacheRead: 1_250_000, output: 10_000_000 }),
  ...openai("gpt-4o-mini", "2024-07-01", { input: 150_000, cacheRead: 75_000, output: 600_000 }),
  ...openai("gpt-4.1", "2025-04-01", { input: 2_000_000, cacheRead: 500_000, output: 8_000_000 }),
  ...openai("gpt-4.1-mini", "2025-04-01", { input: 400_000, cacheRead: 100_000, output: 1_600_000 }),
  ...openai("gpt-4.1-nano", "2025-04-01", { input: 100_000, cacheRead: 25_000, output: 400_000 }),
  ...openai("gpt-5", "2025-08-01", { input: 1_250_000, cacheRead: 125_000, output: 10_000_000 }),
  ...openai("gpt-5-mini", "2025-08-01", { input: 250_000, cacheRead: 25_000, output: 2_000_000 }),
  ...openai("gpt-5-nano", "2025-08-01", { input: 50_000, cacheRead: 5_000, output: 400_000 }),
  // `gpt-5.6` is answered by Sol.
  ...["gpt-5.6-sol", "gpt-5.6"].flatMap((model) => [
    ...longOpenai(model, "2026-06-26", { input: 5_000_000, cacheRead: 500_000, output: 30_000_000 }),
    // Announced for at least three months; what holds afterwards is not published, so it is no price.
    ...longOpenai(model, "2026-08-21", { input: 4_000_000, cacheRead: 400_000, output: 20_000_000, until: "2026-11-22" }),
  ]),
  ...longOpenai("gpt-5.6-terra", "2026-06-26", { input: 2_500_000, cacheRead: 250_000, output: 15_000_000 }),
  ...longOpenai("gpt-5.6-terra", "2026-07-30", { input: 2_000_000, cacheRead: 200_000, output: 12_000_000 }),
  ...longOpenai("gpt-5.6-luna", "2026-06-26", { input: 1_000_000, cacheRead: 100_000, output: 6_000_000 }),
  ...longOpenai("gpt-5.6-luna", "2026-07-30", { input: 200_000, cacheRead: 20_000, output: 1_200_000 }),
  ...longOpenai("gpt-6-sol", "2026-09-22", { input: 2_000_000, cacheRead: 200_000, output: 10_000_000 }),
  ...longOpenai("gpt-6-luna", "2026-09-22", { input: 100_000, cacheRead: 10_000, output: 500_000 }),
  ...openai("text-embedding-ada-002", "2023-06-13", { input: 100_000, output: 0 }),
  ...openai("text-embedding-3-small", "2024-01-25", { input: 20_000, output: 0 }),
  ...openai("text-embedding-3-large", "2024-01-25", { input: 130_000, output: 0 }),
];

/** Micro-USD per million tokens. */
interface ListPrice {
  readonly input: number;
  readonly output: number;
}

interface AnthropicPrice extends ListPrice {
  readonly geographies?: Record<string, number>;
  readonly speeds?: Record<string, number>;
  /** Above 200 000 prompt tokens the whole request costs twice the input price and one and a half times the output price. */
  readonly isLongDearer?: boolean;
}

interface ListPriceWithCache extends ListPrice {
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
}

/** Cache multipliers on the input price: read 0.1, write 1.25 for five minutes, 2 for an hour. A search costs a cent, fetching a page nothing. */
function anthropic(
  model: string,
  from: string,
  { input, output, geographies = {}, speeds = {}, isLongDearer = false }: AnthropicPrice,
): PriceTableSource {
  const cached = (base: number) => ({ cacheRead: base / 10, cacheWrite: { "5m": (base * 5) / 4, "1h": base * 2 } });
  const step = { above: 200_000, input: input * 2, output: (output * 3) / 2, ...cached(input * 2) };
  return [
    {
      provider: "anthropic",
      model,
      from,
      input,
      output,
      ...cached(input),
      steps: isLongDearer ? [step] : [],
      tiers: { batch: 50 },
      geographies,
      speeds,
      tools: { web_search: 10_000_000, web_fetch: 0 },
      source: "https://platform.claude.com/docs/en/about-claude/pricing, September 2026",
    },
  ];
}

/** Writes cost the plain input price before GPT-5.6 and 1.25 times that from then on. */
function openai(model: string, from: string, price: ListPriceWithCache): PriceTableSource {
  const { input, output, cacheRead, cacheWrite = input } = price;
  return [
    {
      provider: "openai",
      model,
      from,
      input,
      output,
      ...(cacheRead !== undefined && { cacheRead }),
      cacheWrite: { "30m": cacheWrite, "12h": cacheWrite },
      tiers: { batch: 50, flex: 50 },
      source: openAiPage(),
    },
  ];
}

interface LongPromptPrice extends ListPrice {
  readonly cacheRead: number;
  readonly until?: string;
}

/**
 * Models from GPT-5.6 on: a write costs one and a quarter of the input price, and above 272 000 prompt tokens the whole request costs twice the
 * input price and one and a half times the output price.
 */
function longOpenai(model: string, from: string, { input, output, cacheRead, until }: LongPromptPrice): PriceTableSource {
  const cacheWrite = (input * 5) / 4;
  const step = {
    above: 272_000,
    input: input * 2,
    output: (output * 3) / 2,
    cacheRead: cacheRead * 2,
    cacheWrite: { "30m": cacheWrite * 2, "12h": cacheWrite * 2 },
  };
  return openai(model, from, { input, output, cacheRead, cacheWrite }).map((row) => ({
    ...row,
    ...(until !== undefined && { until }),
    steps: [step],
  }));
}

function openAiPage(): string {
  return "https://platform.openai.com/docs/pricing, September 2026";
}
