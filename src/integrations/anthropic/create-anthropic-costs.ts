import { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import { errorField } from "../../core/error-field.ts";
import type { ProviderAccess } from "../../llm/batches/provider/provider-access.ts";
import { type ProviderCostReport, ProviderFailure } from "../../llm/batches/provider/provider-batch.ts";
import { failureOf } from "../../llm/batches/provider/provider-trouble.ts";
import { wordsOf } from "./message-shapes.ts";
import { openAnthropic } from "./open-anthropic.ts";

/** Amounts are fractional cents as decimal text, after discounts and before credits. */
const rowShape = z.object({ cost: z.object({ amount: z.string().regex(/^-?\d+(?:\.\d+)?$/), currency: z.literal("USD") }) });

/** Anthropic's cost analytics, read with an Admin key. https://platform.claude.com/docs/en/api/admin */
export function createAnthropicCosts(access: ProviderAccess, clock: Pick<Clock, "now">): ProviderCostReport {
  let opened: ReturnType<typeof openAnthropic> | undefined;
  const open = () => (opened ??= openAnthropic(access));
  return {
    provider: "anthropic",
    async batchCost(from, until, signal) {
      const query = { starting_at: new Date(from).toISOString(), ending_at: new Date(until).toISOString() };
      let cents = 0;
      const client = await open();
      try {
        const rows = client.beta.organization.analytics.cost.list(
          { ...query, service_tiers: ["batch"] },
          signal === undefined ? {} : { signal },
        );
        for await (const row of rows) cents += centsOf(row);
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        throw failureOf(error, { provider: "anthropic", kind: "read", words: wordsOf(errorField(error, "error")) }, clock.now());
      }
      return Math.round(cents * 10_000);
    },
  };
}

function centsOf(row: unknown): number {
  const parsed = rowShape.safeParse(row);
  if (!parsed.success) throw new ProviderFailure("nonsense", "anthropic answered a cost report that its documentation does not know");
  return Number(parsed.data.cost.amount);
}
