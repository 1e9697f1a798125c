import { oneUsd } from "../../core/money.ts";
import { gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";
import type { BudgetLedger } from "./budget-ledger.ts";
import { budgetsByQueue } from "./budgets-by-queue.ts";

/** The metrics of budgets and their gates. */
export type BudgetMetrics = ReturnType<typeof declareBudgetMetrics>;

/** Declares the metrics of budgets and their gates in `registry`. */
export function declareBudgetMetrics(registry: MetricRegistry) {
  const budgetGauge = (name: string, help: string) => gauge(registry, { name, help, labels: ["budget"] });
  return {
    budgetLimit: budgetGauge("llm_budget_limit_usd", "Limit of the budget's period."),
    budgetSpent: budgetGauge("llm_budget_spent_usd", "Settled in the period so far."),
    budgetEstimated: budgetGauge("llm_budget_estimated_usd", "The part of what was spent in the period that stands for unknown costs."),
    budgetCommitted: budgetGauge("llm_budget_committed_usd", "Reserved by leases and open provider batches."),
    budgetAllowance: budgetGauge(
      "llm_budget_allowance_usd_per_second",
      "Spend rate that the plan allows now, from the hour-of-week profile.",
    ),
    budgetRemaining: budgetGauge("llm_budget_period_remaining_seconds", "Until the period ends."),
    queuePaused: gauge(registry, {
      name: "llm_queue_paused",
      help: "1 while the admission gate of the queue's budget is closed.",
      labels: ["queue"],
    }),
  };
}

/**
 * Fills the gauges of budgets at every scrape from where they are kept, so that every process shows the same. `llm_queue_paused` is 1 when every
 * budget that the queue draws on has its gate closed.
 */
export function observeBudgets(metrics: Observing & BudgetMetrics & WorkloadLabels, budgets: Pick<BudgetLedger, "summaries">): void {
  const { label, budgetLimit, budgetSpent, budgetEstimated, budgetCommitted, budgetAllowance, budgetRemaining, queuePaused } = metrics;
  const gauges = [budgetLimit, budgetSpent, budgetEstimated, budgetCommitted, budgetAllowance, budgetRemaining, queuePaused];
  metrics.observe(gauges, async () => {
    const states = await budgets.summaries();
    for (const each of gauges) each.reset();
    for (const state of states) {
      // Every budget has series of its own: how many may exist is limited where they are created.
      const labels = { budget: state.budget.id };
      budgetLimit.set(labels, state.budget.limitMicroUsd / oneUsd);
      budgetSpent.set(labels, state.spentMicroUsd / oneUsd);
      budgetEstimated.set(labels, state.estimatedMicroUsd / oneUsd);
      budgetCommitted.set(labels, state.committedMicroUsd / oneUsd);
      budgetAllowance.set(labels, state.allowanceMicroUsdPerSecond / oneUsd);
      budgetRemaining.set(labels, state.periodRemainingSeconds);
    }
    for (const [queue, drawing] of budgetsByQueue(states))
      queuePaused.set({ queue: label.queue(queue) }, drawing.every(({ controls }) => controls.gate === "paused") ? 1 : 0);
  });
}
