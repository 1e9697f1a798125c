import type { BudgetSummary } from "./budget-ledger.ts";

/** Queue → the budgets that it draws on. */
export function budgetsByQueue(summaries: readonly BudgetSummary[]): ReadonlyMap<string, readonly BudgetSummary[]> {
  const queues = new Map<string, BudgetSummary[]>();
  for (const summary of summaries)
    for (const queue of summary.queues) {
      const drawing = queues.get(queue);
      if (drawing === undefined) queues.set(queue, [summary]);
      else drawing.push(summary);
    }
  return queues;
}
