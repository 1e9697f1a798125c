import { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import { errorField } from "../../core/error-field.ts";
import { maxPages, type ProviderAccess } from "../../llm/batches/provider/provider-access.ts";
import { type ProviderCostReport, ProviderFailure } from "../../llm/batches/provider/provider-batch.ts";
import { failureOf } from "../../llm/batches/provider/provider-trouble.ts";
import { costOf } from "../../llm/usage/cost-of.ts";
import type { PriceTable } from "../../llm/usage/price-table.ts";
import { partitionOf } from "../../llm/usage/token-partition.ts";
import { wordsOf } from "./batch-shapes.ts";
import { openOpenAi } from "./open-openai.ts";

/** A day of many requests: sizes of single ones are not in the report, so a model whose price depends on the size has none here. */
const batchSum = { serviceTier: "batch", isSum: true };

const count = z.int().min(0);
const page = z.object({
  data: z.array(
    z.object({
      start_time: z.int(),
      results: z.array(
        z.object({
          model: z.string(),
          batch: z.boolean(),
          input_tokens: count,
          input_cached_tokens: count.nullish(),
          input_cache_write_tokens: count.nullish(),
          output_tokens: count,
        }),
      ),
    }),
  ),
  has_more: z.boolean(),
  next_page: z.string().nullish(),
});

/**
 * OpenAI's usage report, read with an Admin key and priced with our table: its cost report does not tell batches apart. So a wrong price shows at
 * neither side, a wrong count does. https://platform.openai.com/docs/api-reference/usage/completions
 */
export function createOpenAiCosts(
  access: ProviderAccess,
  { prices, clock }: { readonly prices: Pick<PriceTable, "find">; readonly clock: Pick<Clock, "now"> },
): ProviderCostReport {
  let opened: ReturnType<typeof openOpenAi> | undefined;
  const open = () => (opened ??= openOpenAi(access));

  const priceOf = (start: number, row: z.output<typeof page>["data"][number]["results"][number]): number => {
    const usage = partitionOf({
      inputTotal: row.input_tokens,
      read: row.input_cached_tokens ?? 0,
      write30m: row.input_cache_write_tokens ?? 0,
      output: row.output_tokens,
    });
    const cost = usage.kind === "tokens" ? costOf(usage.tokens, prices.find("openai", row.model, start * 1000), batchSum) : undefined;
    if (cost?.kind !== "priced")
      throw new ProviderFailure("nonsense", `openai's usage report cannot be priced: ${cost?.detail ?? "its counts do not sum"}`);
    return cost.costMicroUsd;
  };

  return {
    provider: "openai",
    async batchCost(from, until, signal) {
      let sum = 0;
      let next: string | undefined;
      for (let pages = 0; pages < maxPages; pages += 1) {
        const query = {
          start_time: Math.floor(from / 1000),
          end_time: Math.floor(until / 1000),
          bucket_width: "1d",
          batch: true,
          group_by: ["model", "batch"],
          ...(next !== undefined && { page: next }),
        };
        const parsed = page.safeParse(await get(query, signal));
        if (!parsed.success) throw new ProviderFailure("nonsense", "openai answered a usage report that its documentation does not know");
        for (const { start_time, results } of parsed.data.data) for (const row of results) if (row.batch) sum += priceOf(start_time, row);
        if (!parsed.data.has_more || typeof parsed.data.next_page !== "string") return sum;
        next = parsed.data.next_page;
      }
      throw new ProviderFailure("unavailable", "openai's usage report has more pages than are read");
    },
  };

  async function get(query: object, signal: AbortSignal | undefined): Promise<unknown> {
    const { client } = await open();
    try {
      return await client.get("/organization/usage/completions", { query: { ...query }, ...(signal !== undefined && { signal }) });
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw failureOf(error, { provider: "openai", kind: "read", words: wordsOf(errorField(error, "error")) }, clock.now());
    }
  }
}
