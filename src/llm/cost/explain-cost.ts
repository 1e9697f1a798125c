import type { CostAttribution, CostExplanation, CostQuestion } from "../../../packages/sdk/src/wire/costs.ts";
import type { Instant } from "../../core/clock.ts";
import type { BudgetLedger } from "../budgets/budget-ledger.ts";
import type { ChangeLog } from "../changes/change-log.ts";
import type { PriceTable } from "../usage/price-table.ts";
import { attributeCost } from "./attribute-cost.ts";
import { coincidingChanges } from "./coinciding-changes.ts";
import { adviceOf } from "./cost-advice.ts";
import { createCostEventReader } from "./cost-events.ts";
import { type CostEvent, createCostWindow } from "./cost-window.ts";
import { baselineStatistics, findOnset, riseInDeviations } from "./find-onset.ts";

/** What an explanation is made from. */
export interface CostSources {
  readonly ledger: Pick<BudgetLedger, "usageKept" | "usagePages">;
  readonly prices: PriceTable;
  readonly changes: Pick<ChangeLog, "between">;
}

/** A window is divided into this many spans: minutes of an hour. */
const spans = 60;
/** Fewer spans than these are too short to be compared with what is usual. */
const minSpans = 10;
const maxCandidateChanges = 1000;

/** Usage events of both windows together that one explanation reads: about 9 seconds and 300 MB, measured by the bench. */
export const maxExplainedEvents = 1_000_000;

/**
 * Usage events of both windows, compared. What lies outside of them is not read.
 * Rejects with StoreUnavailable when ledger or changes cannot be read.
 */
export async function explainCost(
  { ledger, prices, changes }: CostSources,
  question: CostQuestion,
  maxEvents = maxExplainedEvents,
): Promise<CostExplanation> {
  const { from, to, baselineFrom, baselineTo, budget } = question;
  const kept = await Promise.all([ledger.usageKept(from, to), ledger.usageKept(baselineFrom, baselineTo)]);
  const count = kept[0].count + kept[1].count;
  const unread = { ...question, kind: "incomplete", requests: kept[0].count, baselineRequests: kept[1].count } as const;
  if (!kept.every(({ complete }) => complete)) {
    const sentence = "Usage events of these windows are no longer all kept, so nothing can be told. Ask for shorter or later windows.";
    return { ...unread, reason: "not_kept", sentence };
  }
  if (count > maxEvents) {
    const sentence = `These windows have ${count} usage events, and one explanation reads at most ${maxEvents}. Ask for shorter windows.`;
    return { ...unread, reason: "too_many_events", sentence };
  }
  const reader = createCostEventReader(prices);
  const between = async (first: Instant, end: Instant): Promise<readonly CostEvent[]> => {
    const read: CostEvent[] = [];
    for await (const page of ledger.usagePages(first, end))
      for (const event of page) if (budget === undefined || event.budget === budget) read.push(reader.read(event));
    return read;
  };
  const now = await between(from, to);
  const then = await between(baselineFrom, baselineTo);
  const asked = { ...question, requests: now.length, baselineRequests: then.length, prices: reader.prices() };
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

/** Says what changed in cost between two windows. */
export interface CostExplainer {
  explain(question: CostQuestion): Promise<CostExplanation>;
}
