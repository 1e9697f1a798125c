import { z } from "zod";
import type { Instant } from "../core/clock.ts";
import { hourMs } from "../core/duration.ts";
import type { Journal } from "../core/journal.ts";
import { formatUsd, type MicroUsd } from "../core/money.ts";
import type { BudgetControl } from "../llm/budgets/budget.ts";
import { moment, span } from "./wording.ts";

/** What was spent in one window. */
export interface SpentWindow {
  readonly from: Instant;
  readonly to: Instant;
  readonly costMicroUsd: MicroUsd;
}

/** The money of one run, as the ledger has it. */
export interface MoneyFacts {
  readonly budget: string;
  readonly limitMicroUsd: MicroUsd;
  /** Of the period, when the review was made. */
  readonly spentMicroUsd: MicroUsd;
  /** The window whose rate is taken for what would have gone on. */
  readonly onset: SpentWindow;
  /** From the first effect to the end of the run; absent when no change of a value is known. */
  readonly afterStop?: SpentWindow;
  /** Rest of the budget's period at the first effect. */
  readonly remainingPeriodMs?: number;
  readonly unpricedTokens: number;
}

const rankingSchema = z.object({ from: z.number(), to: z.number(), rows: z.array(z.unknown()) });
const defaultOnsetMs = 10 * 60_000;

/** Windows of a run: before its first effect, and from there to its end. Undefined when the run was not about a budget. */
export function moneyWindows(
  journal: Journal,
):
  | { readonly budget: string; readonly onset: Omit<SpentWindow, "costMicroUsd">; readonly stop?: Instant; readonly end: Instant }
  | undefined {
  const accepted = journal[0];
  if (accepted?.kind !== "accepted") return undefined;
  const budget = /^budget\/([a-z0-9-]{1,40})$/.exec(accepted.request.target ?? "")?.[1];
  if (budget === undefined) return undefined;
  const mutating = new Set(journal.flatMap((entry) => (entry.kind === "intent" && entry.plan.changes.length > 0 ? [entry.step] : [])));
  const stop = journal.find((entry) => entry.kind === "applied" && mutating.has(entry.step))?.at;
  const end = (journal.find((entry) => entry.kind === "concluded") ?? journal.at(-1))?.at ?? accepted.at;
  const ranking = journal
    .flatMap((entry) => (entry.kind === "applied" ? [rankingSchema.safeParse(entry.output)] : []))
    .find((parsed) => parsed.success);
  const onset = ranking?.data ?? {
    from: Math.min(accepted.request.alert?.startsAt ?? accepted.at, accepted.at - defaultOnsetMs),
    to: accepted.at,
  };
  return { budget, onset: { from: onset.from, to: onset.to }, end, ...(stop !== undefined && { stop }) };
}

/** Reads the money of a run from the ledger; undefined when it was not about a budget that still exists. */
export async function gatherMoney(journal: Journal, budgets: Pick<BudgetControl, "read" | "spend">): Promise<MoneyFacts | undefined> {
  const windows = moneyWindows(journal);
  const state = windows === undefined ? undefined : await budgets.read(windows.budget);
  if (windows === undefined || state === undefined) return undefined;
  const spentIn = async (from: Instant, to: Instant) => {
    const rows = await budgets.spend(windows.budget, from, to);
    return {
      from,
      to,
      costMicroUsd: rows.reduce((sum, row) => sum + row.costMicroUsd, 0),
      unpriced: rows.reduce((sum, row) => sum + row.unpricedTokens, 0),
    };
  };
  const { stop, end } = windows;
  const onset = await spentIn(windows.onset.from, windows.onset.to);
  const after = stop === undefined ? undefined : await spentIn(stop, end);
  const periodEnd = state.budget.periodStartsAt + state.budget.periodMs;
  return {
    budget: windows.budget,
    limitMicroUsd: state.budget.limitMicroUsd,
    spentMicroUsd: state.spentMicroUsd,
    onset: { from: onset.from, to: onset.to, costMicroUsd: onset.costMicroUsd },
    ...(after !== undefined && { afterStop: { from: after.from, to: after.to, costMicroUsd: after.costMicroUsd } }),
    ...(stop !== undefined && periodEnd > stop && { remainingPeriodMs: periodEnd - stop }),
    unpricedTokens: onset.unpriced + (after?.unpriced ?? 0),
  };
}

/** What it cost and what was avoided, every number with its formula. What cannot be computed is said, never left out. */
export function describeMoney(facts: MoneyFacts): { readonly lines: readonly string[]; readonly avoided?: string } {
  const { onset, afterStop } = facts;
  const lines = [`Budget ${facts.budget}: ${formatUsd(facts.spentMicroUsd)} of ${formatUsd(facts.limitMicroUsd)} is spent in this period.`];
  if (facts.unpricedTokens > 0) {
    lines.push(`${facts.unpricedTokens.toLocaleString("en-US")} tokens have no price and count as nothing here: the true cost is higher.`);
  }
  const length = onset.to - onset.from;
  if (length <= 0 || onset.costMicroUsd === 0) {
    lines.push("What was avoided cannot be computed: nothing was spent in the window before the stop.");
    return { lines };
  }
  const perTime = rate(onset.costMicroUsd, length);
  lines.push(
    `Onset rate: ${formatUsd(onset.costMicroUsd)} in ${span(length)} (${moment(onset.from)} to ${moment(onset.to)}) = ${perTime}.`,
  );
  if (afterStop === undefined) {
    lines.push("No change of this run is known to have lowered spend, so nothing is counted as avoided.");
    return { lines };
  }
  const lasted = Math.max(0, afterStop.to - afterStop.from);
  const counterfactual = Math.round((onset.costMicroUsd * lasted) / length);
  const saved = counterfactual - afterStop.costMicroUsd;
  const verb = saved >= 0 ? `avoided ${formatUsd(saved)}` : `nothing avoided: ${formatUsd(-saved)} more than that`;
  lines.push(
    `Until the run ended: onset rate × time since the stop = ${perTime} × ${span(lasted)} = ${formatUsd(counterfactual)}; spent instead ${formatUsd(afterStop.costMicroUsd)}; ${verb}.`,
  );
  if (facts.remainingPeriodMs !== undefined) {
    const whole = Math.round((onset.costMicroUsd * facts.remainingPeriodMs) / length);
    lines.push(
      `To the end of the budget's period: onset rate × remaining time = ${perTime} × ${span(facts.remainingPeriodMs)} = ${formatUsd(whole)}. This is an upper bound: it assumes that nobody else would have stopped it.`,
    );
  }
  return {
    lines,
    ...(saved > 0 && {
      avoided: `${formatUsd(saved)} was avoided while the run lasted, at the rate before it; the formula is under Cost.`,
    }),
  };
}

function rate(costMicroUsd: number, ms: number): string {
  return ms < 600_000 ? `${formatUsd((costMicroUsd * 60_000) / ms)}/min` : `${formatUsd((costMicroUsd * hourMs) / ms)}/h`;
}
