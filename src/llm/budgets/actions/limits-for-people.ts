import type { BudgetLimits } from "../../../../packages/sdk/src/wire/budgets.ts";
import { oneUsd } from "../../../core/money.ts";

/** Limits under the names that authors use in parameters, money in USD. */
export function limitsForPeople(limits: BudgetLimits): { readonly [name: string]: number | null } {
  const usd = (amount: number | null) => (amount === null ? null : amount / oneUsd);
  return {
    concurrency: limits.concurrency,
    rate_per_minute: limits.ratePerMinute,
    per_ticket_cap_usd: usd(limits.perTicketCapMicroUsd),
    per_minute_cap_usd: usd(limits.perMinuteCapMicroUsd),
    max_attempts: limits.maxAttempts,
  };
}
