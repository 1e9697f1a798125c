import type { UsageEvent } from "../../packages/sdk/src/wire/usage.ts";
import type { BudgetLedger } from "../../src/llm/budgets/budget-ledger.ts";

/** All usage events of [from, to), earliest first. */
export async function usageOf(ledger: Pick<BudgetLedger, "usagePages">, from: number, to: number): Promise<readonly UsageEvent[]> {
  const events: UsageEvent[] = [];
  for await (const page of ledger.usagePages(from, to)) events.push(...page);
  return events;
}
