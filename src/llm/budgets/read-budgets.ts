import type { BudgetState } from "../../../packages/sdk/src/wire/budgets.ts";
import type { BudgetControl } from "./budget.ts";

/** The state of every budget. One that is removed while they are read is left out. */
export async function readBudgets(budgets: Pick<BudgetControl, "list" | "read">): Promise<readonly BudgetState[]> {
  const states = await Promise.all((await budgets.list()).map(async (id) => budgets.read(id)));
  return states.filter((state) => state !== undefined);
}

/** Queue → the budgets that it draws on. */
export function budgetsByQueue(states: readonly BudgetState[]): ReadonlyMap<string, readonly BudgetState[]> {
  const queues = new Map<string, BudgetState[]>();
  for (const state of states) for (const queue of state.queues) queues.set(queue, [...(queues.get(queue) ?? []), state]);
  return queues;
}
