import type { PriceEvidence } from "../../../packages/sdk/src/wire/costs.ts";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import { dayMs } from "../../core/duration.ts";
import { createTextPool } from "../../core/text-pool.ts";
import { costOf } from "../usage/cost-of.ts";
import type { PriceRow, PriceTable } from "../usage/price-table.ts";
import { inputTokens, unpricedTokens } from "../usage/token-partition.ts";
import type { CostEvent } from "./cost-window.ts";

/** Rows of prices that an explanation names. */
const maxPrices = 20;

/** Turns usage events into what an explanation needs of them, and remembers which prices they had. */
export interface CostEventReader {
  read(event: UsageEvent): CostEvent;
  /** The rows that priced what was read, those with the most cost first; at most 20. */
  prices(): PriceEvidence[];
}

/** Of a million events few texts differ, so each is kept once, and a price is looked up once per model and day. */
export function createCostEventReader(prices: PriceTable): CostEventReader {
  const rows = new Map<string, PriceRow | undefined>();
  const costs = new Map<PriceRow, number>();
  const once = createTextPool();
  // A row begins and ends with a day.
  const rowOf = ({ provider, model, at }: UsageEvent): PriceRow | undefined => {
    const key = `${Math.floor(at / dayMs)} ${provider} ${model}`;
    if (!rows.has(key)) rows.set(key, prices.find(provider, model, at));
    return rows.get(key);
  };
  return {
    read(event) {
      const row = rowOf(event);
      if (row !== undefined && event.costMicroUsd > 0) costs.set(row, (costs.get(row) ?? 0) + event.costMicroUsd);
      const { model, prompt, operation, budget, team, repo, queue, variant, batchId, promptVersion } = event;
      return {
        at: event.at,
        dims: {
          model: once(model),
          prompt: once(prompt),
          operation: once(operation),
          budget: once(budget),
          queue: once(queue),
          variant: once(variant),
          ...(team !== undefined && { team: once(team) }),
          ...(repo !== undefined && { repo: once(repo) }),
          ...(batchId !== undefined && { batch: once(batchId) }),
          ...(promptVersion !== undefined && { promptVersion: once(promptVersion) }),
        },
        ticketId: once(event.ticketId),
        attempt: event.attempt,
        ...moneyOf(event, row),
      };
    },
    prices: () =>
      [...costs]
        .toSorted(([, a], [, b]) => b - a)
        .slice(0, maxPrices)
        .map(([{ provider, model, from, until, source }, costMicroUsd]) => ({
          provider,
          model,
          from,
          ...(until !== undefined && { until }),
          ...(source !== undefined && { source }),
          costMicroUsd,
        })),
  };
}

/** What was paid is split as the list price splits it, so that a discount of a tier or a contract lowers input, output and price alike. */
function moneyOf(event: UsageEvent, row: PriceRow | undefined) {
  const { tokens, costMicroUsd } = event;
  const listed = amountOf(costOf(tokens, row));
  const listedInput = amountOf(costOf({ ...tokens, output: 0, reasoning: 0 }, row));
  const discount = listed > 0 ? costMicroUsd / listed : 1;
  return {
    costMicroUsd,
    inputCostMicroUsd: Math.min(costMicroUsd, listedInput * discount),
    inputPrice: (row?.input ?? 0) * discount,
    inputTokens: inputTokens(tokens),
    outputTokens: tokens.output,
    unpricedTokens: unpricedTokens(event),
  };
}

function amountOf(cost: ReturnType<typeof costOf>): number {
  return cost.kind === "priced" ? cost.costMicroUsd : 0;
}
