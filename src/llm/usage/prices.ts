import type { PriceTableSource } from "./price-table.ts";

/**
 * Published list prices, in micro-USD per million tokens, as the providers' price pages showed them in September 2026. Data, not law: a contract's own prices go
 * into a table of one's own, and a model that is missing here is shown as unpriced.
 * https://platform.claude.com/docs/en/about-claude/pricing · https://platform.openai.com/docs/pricing
 */
export const shippedPrices: PriceTableSource = [
  ...anthropic("claude-opus-5", "2026-01-01", { input: 5_000_000, output: 25_000_000 }),
  ...anthropic("claude-opus-4-8", "2026-01-01", { input: 5_000_000, output: 25_000_000 }),
  ...anthropic("claude-opus-4-7", "2026-01-01", { input: 5_000_000, output: 25_000_000 }),
  ...anthropic("claude-opus-4-6", "2026-01-01", { input: 5_000_000, output: 25_000_000 }),
  ...anthropic("claude-opus-4-5", "2025-11-01", { input: 5_000_000, output: 25_000_000 }),
  ...anthropic("claude-opus-4-1", "2025-08-01", { input: 15_000_000, output: 75_000_000 }),
  ...anthropic("claude-opus-4", "2025-05-01", { input: 15_000_000, output: 75_000_000 }),
  ...anthropic("claude-sonnet-5", "2026-01-01", { input: 2_000_000, output: 10_000_000 }),
  ...anthropic("claude-sonnet-4-6", "2026-01-01", { input: 3_000_000, output: 15_000_000 }),
  ...anthropic("claude-sonnet-4-5", "2025-09-01", { input: 3_000_000, output: 15_000_000 }),
  ...anthropic("claude-sonnet-4", "2025-05-01", { input: 3_000_000, output: 15_000_000 }),
  ...anthropic("claude-haiku-4-5", "2025-10-01", { input: 1_000_000, output: 5_000_000 }),
  ...anthropic("claude-3-5-haiku", "2024-11-01", { input: 800_000, output: 4_000_000 }),
  ...openai("gpt-4o", "2024-10-01", { input: 2_500_000, cacheRead: 1_250_000, output: 10_000_000 }),
  ...openai("gpt-4o-mini", "2024-07-01", { input: 150_000, cacheRead: 75_000, output: 600_000 }),
  ...openai("gpt-4.1", "2025-04-01", { input: 2_000_000, cacheRead: 500_000, output: 8_000_000 }),
  ...openai("gpt-4.1-mini", "2025-04-01", { input: 400_000, cacheRead: 100_000, output: 1_600_000 }),
  ...openai("gpt-4.1-nano", "2025-04-01", { input: 100_000, cacheRead: 25_000, output: 400_000 }),
  ...openai("gpt-5", "2025-08-01", { input: 1_250_000, cacheRead: 125_000, output: 10_000_000 }),
  ...openai("gpt-5-mini", "2025-08-01", { input: 250_000, cacheRead: 25_000, output: 2_000_000 }),
  ...openai("gpt-5-nano", "2025-08-01", { input: 50_000, cacheRead: 5_000, output: 400_000 }),
  ...openai("gpt-5.6-sol", "2026-06-01", { input: 5_000_000, cacheRead: 500_000, cacheWrite: 6_250_000, output: 30_000_000 }),
  ...openai("gpt-5.6-terra", "2026-06-01", { input: 2_000_000, cacheRead: 200_000, cacheWrite: 2_500_000, output: 12_000_000 }),
];

/** Micro-USD per million tokens. */
interface ListPrice {
  readonly input: number;
  readonly output: number;
}

interface ListPriceWithCache extends ListPrice {
  readonly cacheRead: number;
  readonly cacheWrite?: number;
}

/** Cache multipliers on the input price: read 0.1, write 1.25 for five minutes, 2 for an hour. */
function anthropic(model: string, from: string, { input, output }: ListPrice): PriceTableSource {
  return [
    {
      provider: "anthropic",
      model,
      from,
      input,
      output,
      cacheRead: input / 10,
      cacheWrite: { "5m": (input * 5) / 4, "1h": input * 2 },
      tiers: { batch: 50 },
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
      cacheRead,
      cacheWrite: { "30m": cacheWrite, "12h": cacheWrite },
      tiers: { batch: 50, flex: 50 },
    },
  ];
}
