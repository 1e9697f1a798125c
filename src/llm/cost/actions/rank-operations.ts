import { z } from "zod";
import type { CostExplanation } from "../../../../packages/sdk/src/wire/costs.ts";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { budgetParameter, durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import { oneUsd } from "../../../core/money.ts";
import { readBudget } from "../../budgets/actions/planned-controls.ts";
import type { BudgetControl } from "../../budgets/budget.ts";
import { type CostControls, type CostRise, decideCostControls } from "../cost-controls.ts";
import type { CostExplainer } from "../explain-cost.ts";
import { type OperationRanking, type RankedOperation, rankOperations } from "../operation-ranking.ts";

const rowsShown = 10;
const pricesShown = 5;

/** Which (prompt, operation) of a budget rose, against the matching earlier window. */
export const rankOperationsAction = defineAction({
  name: "rank-operations",
  summary:
    "Ranks the operations of one budget by what their cost rose over the matching earlier window, and names the culprit if there is one.",
  parameters: z.strictObject({
    budget: budgetParameter(),
    window: durationParameter("Length of the window that ends where the run was accepted.").default("1h"),
    baseline: durationParameter(
      "How much earlier the matching window lies; the window directly before is taken when nothing was spent in that one.",
    ).default("1w"),
  }),
  result: {
    budget: "id of the budget",
    verdict: "spike, diffuse, no_spike or no_spend",
    sentence: "the verdict for people; unpriced tokens are said first",
    culprit: "{prompt, operation, share, share_of_rise, factor}; absent unless the verdict is spike",
    rows: `first ${rowsShown} of {prompt, operation, cost_usd, baseline_usd, change_usd, share, share_of_rise, attempts_per_ticket, baseline_attempts_per_ticket, factor}`,
    cost_usd: "spent in the window",
    baseline_usd: "spent in the matching window, scaled to the same length",
    compared_with: "earlier, preceding or nothing: which window was compared",
    unpriced_share: "tokens without a price, of all tokens, 0 to 1",
    segment:
      "{dimension: element} that explains two thirds of the rise or more; this and the fields up to coincides are absent unless usage events tell a rise",
    segment_cost_usd: "spent in the segment since the rise began",
    segment_baseline_usd: "spent in it in a window of that length before",
    factor:
      "strongest factor of the segment's rise, or of the whole one: tickets, attempts_per_ticket, turns_per_attempt, tokens_per_turn, cache_mix, price, output_ratio or new_models",
    factor_share: "of that rise, 1 is all of it; may be above 1 when another factor fell",
    factors: "{factor, change_usd, share, times}: the parts of the rise, which sum to it exactly; times is how many times what it was",
    factor_compared_with: "earlier or preceding: which window's usage events the factor comes from",
    began_at: "when the rise began, UTC milliseconds",
    coincides:
      "up to three of {kind, ref, by, at, score}: changes near that moment, the best fitting first; none of them is proven to be the cause",
    advice: "what a person does about the factor",
    price_sources: `sentences on the prices that the usage has: the day since when each holds, and where and when it was read; the first ${pricesShown}`,
    controls:
      "{scale, max_attempts, predicted_per_hour_usd, because}: limits that follow from the factor, for set-limits; max_attempts only when attempts rose. Absent when nothing rose or its factor is unknown",
    from: "beginning of the window, UTC milliseconds",
    to: "end of the window, UTC milliseconds",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 20_000,
  probes: false,
  undoes: false,
  behave(parameters, { budgets, costs }: { readonly budgets: BudgetControl; readonly costs: CostExplainer }) {
    const { budget } = parameters;
    const windowMs = millisecondsOf(parameters.window);
    const baselineMs = Math.max(millisecondsOf(parameters.baseline), windowMs);

    return {
      async plan() {
        return {
          summary: `Rank the operations of budget ${budget}`,
          targets: [`budget/${budget}`],
          changes: [],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, { acceptedAt }) {
        const { allowanceMicroUsdPerSecond } = await readBudget(budgets, budget);
        // The window ends where the run was accepted: what was spent, or not, because of the run itself says nothing about the cause.
        const to = acceptedAt;
        const from = to - windowMs;
        const rows = await budgets.spend(budget, from, to);
        const compared = await baselineRows(from, to);
        const ranking = rankOperations({ rows, durationMs: windowMs }, { rows: compared.rows, durationMs: windowMs });
        const explained = await explain(from, to, compared.which);
        const rise = explained === undefined ? riseOfRows(ranking, windowMs) : riseOfEvents(explained.explanation);
        return {
          kind: "done",
          output: {
            ...outputOf(ranking, compared.which, { budget, from, to }),
            ...(explained !== undefined && factorOf(explained.explanation, explained.comparedWith, ranking.sentence)),
            ...(rise !== undefined && { controls: controlsOf(decideCostControls({ ...rise, allowanceMicroUsdPerSecond })) }),
          },
        };
      },
    };

    /** Rows are kept for longer than usage events; the preceding window stands in for an earlier one that is no longer kept. */
    async function explain(from: number, to: number, which: string): Promise<ExplainedRise | undefined> {
      const windows = [
        ...(which === "earlier" ? [{ name: "earlier", baselineFrom: from - baselineMs, baselineTo: to - baselineMs }] : []),
        ...(which === "nothing" ? [] : [{ name: "preceding", baselineFrom: from - windowMs, baselineTo: from }]),
      ];
      for (const { name, ...baseline } of windows) {
        const explanation = await costs.explain({ from, to, ...baseline, budget });
        if (explanation.kind === "explained") return explanation.advice === undefined ? undefined : { explanation, comparedWith: name };
      }
      return undefined;
    }

    async function baselineRows(from: number, to: number) {
      const earlier = await budgets.spend(budget, from - baselineMs, to - baselineMs);
      if (earlier.length > 0) return { which: "earlier", rows: earlier };
      const preceding = await budgets.spend(budget, from - windowMs, from);
      return { which: preceding.length > 0 ? "preceding" : "nothing", rows: preceding };
    }
  },
});

/** The spend that was ranked. */
interface RankedWindow {
  readonly budget: string;
  readonly from: number;
  readonly to: number;
}

function outputOf(ranking: OperationRanking, comparedWith: string, { budget, from, to }: RankedWindow): ActionOutput {
  return {
    budget,
    verdict: ranking.verdict,
    sentence: comparedWith === "nothing" ? `There is no earlier spend to compare with. ${ranking.sentence}` : ranking.sentence,
    ...(ranking.culprit !== undefined && { culprit: culpritOf(ranking.culprit) }),
    rows: ranking.rows.slice(0, rowsShown).map(rowOf),
    cost_usd: ranking.costMicroUsd / oneUsd,
    baseline_usd: ranking.baselineMicroUsd / oneUsd,
    compared_with: comparedWith,
    unpriced_share: ranking.unpricedShare,
    from,
    to,
  };
}

type Explained = Extract<CostExplanation, { readonly kind: "explained" }>;

/** A rise that usage events tell, and which window they were compared with. */
interface ExplainedRise {
  readonly explanation: Explained;
  readonly comparedWith: string;
}

function factorOf(explanation: Explained, comparedWith: string, ranked: string): ActionOutput {
  const { verdict, segment, factors, advice, beganAt, coincides, segmentCostMicroUsd, segmentBaselineMicroUsd, prices } = explanation;
  const [strongest] = factors;
  if (strongest === undefined) return {};
  const elements = Object.entries(segment).filter((pair) => typeof pair[1] === "string");
  const [nearest] = coincides;
  const beside = nearest === undefined ? "" : ` ${nearest.ref} (${nearest.kind}) coincides with its beginning.`;
  return {
    sentence: `${verdict === "attributed" ? explanation.sentence : ranked}${beside}`,
    ...(elements.length > 0 && { segment: Object.fromEntries(elements) }),
    segment_cost_usd: segmentCostMicroUsd / oneUsd,
    segment_baseline_usd: segmentBaselineMicroUsd / oneUsd,
    factor: strongest.factor,
    factor_share: strongest.share,
    factors: factors.map(({ factor, changeMicroUsd, share, times }) => ({ factor, change_usd: changeMicroUsd / oneUsd, share, times })),
    ...(prices.length > 0 && { price_sources: prices.slice(0, pricesShown).map((price) => describePrice(price)) }),
    factor_compared_with: comparedWith,
    began_at: beganAt,
    coincides: coincides.map(({ kind, ref, by, at, score }) => ({ kind, ref, by, at, score })),
    ...(advice !== undefined && { advice }),
  };
}

function describePrice({ provider, model, from, source }: Explained["prices"][number]): string {
  return `${provider}/${model} since ${from}: ${source ?? "the row names no source"}`;
}

type Rise = Omit<CostRise, "allowanceMicroUsdPerSecond">;

function riseOfEvents({ factors, costMicroUsd, segmentCostMicroUsd, beganAt, to }: Explained): Rise | undefined {
  const [strongest] = factors;
  return strongest && { factor: strongest.factor, times: strongest.times, costMicroUsd, segmentCostMicroUsd, durationMs: to - beganAt };
}

function riseOfRows({ culprit, costMicroUsd }: OperationRanking, durationMs: number): Rise | undefined {
  if (culprit?.factor === undefined) return undefined;
  const times = (culprit.attemptsPerTicket ?? 1) / (culprit.baselineAttemptsPerTicket ?? 1);
  return { factor: culprit.factor.name, times, costMicroUsd, segmentCostMicroUsd: culprit.costMicroUsd, durationMs };
}

function controlsOf({ scale, maxAttempts, predictedMicroUsdPerHour, because }: CostControls): Json {
  return {
    scale,
    ...(maxAttempts !== undefined && { max_attempts: maxAttempts }),
    predicted_per_hour_usd: predictedMicroUsdPerHour / oneUsd,
    because,
  };
}

function culpritOf(row: RankedOperation): Json {
  return {
    prompt: row.prompt,
    operation: row.operation,
    share: row.share,
    ...(row.shareOfRise !== undefined && { share_of_rise: row.shareOfRise }),
    ...(row.factor !== undefined && { factor: row.factor.name }),
  };
}

function rowOf(row: RankedOperation): Json {
  return {
    prompt: row.prompt,
    operation: row.operation,
    cost_usd: row.costMicroUsd / oneUsd,
    baseline_usd: row.baselineMicroUsd / oneUsd,
    change_usd: row.changeMicroUsd / oneUsd,
    share: row.share,
    ...(row.shareOfRise !== undefined && { share_of_rise: row.shareOfRise }),
    ...(row.attemptsPerTicket !== undefined && { attempts_per_ticket: row.attemptsPerTicket }),
    ...(row.baselineAttemptsPerTicket !== undefined && { baseline_attempts_per_ticket: row.baselineAttemptsPerTicket }),
    ...(row.factor !== undefined && { factor: row.factor.name }),
  };
}
