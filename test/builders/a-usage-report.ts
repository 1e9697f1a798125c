import { type UsageEvent, type UsageReport, usageReportSchema } from "../../packages/sdk/src/wire/usage.ts";
import { createPriceTable } from "../../src/llm/usage/price-table.ts";
import { shippedPrices } from "../../src/llm/usage/prices.ts";
import type { CountedUsage } from "../../src/llm/usage/usage-ledger.ts";
import { createReportPricer } from "../../src/llm/usage/usage-report.ts";

/** A report of one request of `claude-sonnet-4-5`: 1000 uncached input tokens, so it costs 3000 micro-USD. */
export function aUsageReport(change: Partial<UsageReport> & { readonly id: string }): UsageReport {
  return {
    provider: "anthropic",
    model: "claude-sonnet-4-5",
    operation: "plan",
    prompt: "planner",
    budget: "checkout",
    ticketId: "T-1",
    usage: { input_tokens: 1000, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 0 },
    ...change,
  };
}

/** The same, priced at `now`. */
export function aUsageEvent(change: Partial<UsageReport> & { readonly id: string }, now: number): UsageEvent {
  return createReportPricer(createPriceTable(shippedPrices), now)(usageReportSchema.parse(aUsageReport(change)));
}

/** The same as the ledger answers it: accepted with its own cost. */
export function aCountedUsage(event: UsageEvent, change: Partial<CountedUsage> = {}): CountedUsage {
  return { kind: "accepted", event, changeMicroUsd: event.costMicroUsd, estimatedChangeMicroUsd: 0, added: event.tokens, ...change };
}
