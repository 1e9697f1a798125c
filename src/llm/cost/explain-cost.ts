import type { CostAttribution, CostExplanation, CostQuestion } from "../../../packages/sdk/src/wire/costs.ts";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import type { BudgetLedger } from "../budgets/budget-ledger.ts";
import type { ChangeLog } from "../changes/change-log.ts";
import { costOf } from "../usage/cost-of.ts";
import type { PriceTable } from "../usage/price-table.ts";
import { inputTokens, unpricedTokens } from "../usage/token-partition.ts";
import { attributeCost } from "./attribute-cost.ts";
import { coincidingChanges } from "./coinciding-changes.ts";
import { adviceOf } from "./cost-advice.ts";
import { type CostEvent, createCostWindow } from "./cost-window.ts";
import { baselineStatistics, findOnset, riseInDeviations } from "./find-onset.ts";

/** What an explanation is made from. */
export interface CostSources {
  readonly ledger: Pick<BudgetLedger, "usageBetween">;
  readonly prices: PriceTable;
  readonly changes: Pick<ChangeLog, "between">;
}

/** A window is looked at in so many spans: minutes of an hour. */
const spans = 60;
/** Fewer spans than these are too short to be compared with what is usual. */
const minSpans = 10;
const maxCandidateChanges = 1000;

/** Usage events of both windows, compared. Rejects with StoreUnavailable when ledger or changes cannot be read. */
export async function explainCost({ ledger, prices, changes }: CostSources, question: CostQuestion): Promise<CostExplanation> {
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
  const { attribution, beganAt } = attributeSinceOnset(now, then, question);
  const rose = attribution.verdict === "attributed" || attribution.verdict === "diffuse";
  const factor = attribution.factors[0]?.factor;
  if (!rose || factor === undefined) return { ...asked, kind: "explained", ...attribution, beganAt, coincides: [] };
  // Half an hour before and two minutes after the onset in a window of an hour, and of ten minutes each less by e.
  const proximity = { onset: beganAt, beforeMs: (to - from) / 2, afterMs: (to - from) / 30, decayMs: (to - from) / 6 };
  const made = await changes.between(beganAt - proximity.beforeMs, beganAt + proximity.afterMs, maxCandidateChanges);
  const coincides = coincidingChanges(made, attribution.segment, proximity);
  return { ...asked, kind: "explained", ...attribution, beganAt, coincides, advice: adviceOf(factor) };
}

/** A rise is attributed from its onset on, as what was before it in the window dilutes it. */
function attributeSinceOnset(
  now: readonly CostEvent[],
  before: readonly CostEvent[],
  { from, to, baselineFrom, baselineTo }: CostQuestion,
): { readonly attribution: CostAttribution; readonly beganAt: Instant } {
  const then = createCostWindow(before);
  const everyMs = (to - from) / spans;
  const baseline = baselineStatistics(then.series(baselineFrom, everyMs, Math.floor((baselineTo - baselineFrom) / everyMs)));
  const since = (first: Instant, ofWhat: readonly CostEvent[]) => {
    const window = createCostWindow(ofWhat);
    const series = window.series(first, everyMs, Math.round((to - first) / everyMs));
    const deviations = baseline === undefined ? undefined : riseInDeviations(series, baseline);
    return { series, attribution: attributeCost({ now: window, then, scale: (to - first) / (baselineTo - baselineFrom) }, deviations) };
  };
  const whole = since(from, now);
  const { verdict } = whole.attribution;
  const rose = verdict === "attributed" || verdict === "diffuse";
  const onset = rose && baseline !== undefined ? findOnset(whole.series, baseline) : undefined;
  if (onset === undefined || onset === 0 || spans - onset < minSpans) return { attribution: whole.attribution, beganAt: from };
  const beganAt = Math.round(from + onset * everyMs);
  const sinceOnset = since(
    beganAt,
    now.filter(({ at }) => at >= beganAt),
  );
  return { attribution: sinceOnset.attribution, beganAt };
}

/** What was paid is split as the list price splits it, so that a discount of a tier or a contract lowers input, output and price alike. */
function costEventOf(event: UsageEvent, prices: PriceTable): CostEvent {
  const { tokens, costMicroUsd } = event;
  const row = prices.find(event.provider, event.model, event.at);
  const listed = amountOf(costOf(tokens, row));
  const listedInput = amountOf(costOf({ ...tokens, output: 0, reasoning: 0 }, row));
  const discount = listed > 0 ? costMicroUsd / listed : 1;
  const { model, prompt, operation, budget, team, repo, queue, variant, batchId, promptVersion } = event;
  return {
    at: event.at,
    dims: {
      model,
      prompt,
      operation,
      budget,
      queue,
      variant,
      ...(team !== undefined && { team }),
      ...(repo !== undefined && { repo }),
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

function amountOf(cost: ReturnType<typeof costOf>): number {
  return cost.kind === "priced" ? cost.costMicroUsd : 0;
}

/** Says what changed in cost between two windows. */
export interface CostExplainer {
  explain(question: CostQuestion): Promise<CostExplanation>;
}
