import { attributeCost, type CostAttribution } from "../analysis/attribute-cost.ts";
import { adviceOf } from "../analysis/cost-advice.ts";
import { type CostEvent, createCostWindow } from "../analysis/cost-window.ts";
import type { Instant } from "../core/clock.ts";
import type { WorkloadLedger } from "../workload/ledger.ts";
import { costOf, type PriceTable } from "../workload/price-table.ts";
import { unpricedTokens } from "../workload/spend-row.ts";
import { inputTokens } from "../workload/token-partition.ts";
import type { UsageEvent } from "../workload/usage-report.ts";

/** Two windows [from, to), UTC ms; the earlier one is what is usual. */
export interface CostQuestion {
  readonly from: Instant;
  readonly to: Instant;
  readonly baselineFrom: Instant;
  readonly baselineTo: Instant;
  /** Absent: all budgets together. */
  readonly budget?: string;
}

/** What changed between two windows. `incomplete`: events of one of them are no longer kept, and a part of a window explains nothing. */
export type CostExplanation = CostQuestion & { readonly requests: number; readonly baselineRequests: number } & (
    | ({ readonly kind: "explained"; readonly advice?: string } & CostAttribution)
    | { readonly kind: "incomplete"; readonly sentence: string }
  );

/** Usage events of both windows, compared. Rejects with StoreUnavailable when the ledger cannot be read. */
export async function explainCost(
  { ledger, prices }: { readonly ledger: Pick<WorkloadLedger, "usageBetween">; readonly prices: PriceTable },
  question: CostQuestion,
): Promise<CostExplanation> {
  const { from, to, baselineFrom, baselineTo, budget } = question;
  const { events, complete } = await ledger.usageBetween(Math.min(from, baselineFrom), Math.max(to, baselineTo));
  const between = (first: Instant, end: Instant): readonly CostEvent[] =>
    events
      .filter((event) => event.at >= first && event.at < end && (budget === undefined || event.budget === budget))
      .map((event) => costEventOf(event, prices));
  const [now, then] = [between(from, to), between(baselineFrom, baselineTo)];
  const asked = { ...question, requests: now.length, baselineRequests: then.length };
  if (!complete) {
    const sentence = "Usage events of these windows are no longer all kept, so nothing can be told. Ask for shorter or later windows.";
    return { ...asked, kind: "incomplete", sentence };
  }
  const scale = (to - from) / (baselineTo - baselineFrom);
  const attribution = attributeCost({ now: createCostWindow(now), then: createCostWindow(then), scale });
  const rose = attribution.verdict === "attributed" || attribution.verdict === "diffuse";
  const factor = attribution.factors[0]?.factor;
  return { ...asked, kind: "explained", ...attribution, ...(rose && factor !== undefined && { advice: adviceOf(factor) }) };
}

/** What was paid is split as the list price splits it, so that a discount of a tier or a contract lowers input, output and price alike. */
function costEventOf(event: UsageEvent, prices: PriceTable): CostEvent {
  const { tokens, costMicroUsd } = event;
  const row = prices.find(event.provider, event.model, event.at);
  const listed = amountOf(costOf(tokens, row));
  const listedInput = amountOf(costOf({ ...tokens, output: 0, reasoning: 0 }, row));
  const discount = listed > 0 ? costMicroUsd / listed : 1;
  const { model, prompt, operation, budget, queue, variant, batchId, promptVersion } = event;
  return {
    at: event.at,
    dims: {
      model,
      prompt,
      operation,
      budget,
      queue,
      variant,
      ...(batchId !== undefined && { batch: batchId }),
      ...(promptVersion !== undefined && { promptVersion }),
    },
    ticketId: event.ticketId,
    attempt: event.attempt,
    costMicroUsd,
    inputCostMicroUsd: Math.min(costMicroUsd, listedInput * discount),
    inputPrice: (row?.input ?? 0) * discount,
    inputTokens: inputTokens(tokens),
    outputTokens: tokens.output,
    unpricedTokens: unpricedTokens(event),
  };
}

function amountOf(reply: ReturnType<typeof costOf>): number {
  return reply.kind === "priced" ? reply.costMicroUsd : 0;
}
