import { z } from "zod";
import type { SimulatedBudget } from "./rehearsal.ts";
import { amount, count, duration } from "./rehearsal-values.ts";

const limit = z.number().positive().nullable().default(null);

/** Spend at one instant before the alert, as it is written. */
export const spendSchema = z
  .strictObject({
    ago: duration,
    prompt: z.string().min(1),
    operation: z.string().min(1),
    provider: z.string().default("simulated"),
    model: z.string().default("simulated-1"),
    cost_usd: amount,
    requests: count.default(1),
    tickets: count.default(1),
    attempts: count.default(1),
  })
  .meta({ description: "Spend at one instant before the alert." });

/** A budget as it is written; see docs/rehearsals.md. */
export const budgetSchema = z.strictObject({
  limit_usd: amount,
  spent_usd: amount.default(0),
  running: count.default(0),
  queued: count.default(0),
  turn: duration.default(30_000),
  closed_by: z.string().min(1).optional(),
  limits: z
    .strictObject({ concurrency: limit, rate_per_minute: limit, per_ticket_cap_usd: limit, max_attempts: limit })
    .default({ concurrency: null, rate_per_minute: null, per_ticket_cap_usd: null, max_attempts: null }),
  spend: z.array(spendSchema).max(500).default([]),
});

/** The budget that the simulation begins with. */
export function budgetOf(id: string, written: z.output<typeof budgetSchema>): SimulatedBudget {
  const { limits } = written;
  return {
    id,
    limitUsd: written.limit_usd,
    spentUsd: written.spent_usd,
    running: written.running,
    queued: written.queued,
    turnMs: written.turn,
    ...(written.closed_by !== undefined && { closedBy: written.closed_by }),
    limits: {
      concurrency: limits.concurrency,
      ratePerMinute: limits.rate_per_minute,
      perTicketCapUsd: limits.per_ticket_cap_usd,
      maxAttempts: limits.max_attempts,
    },
    spend: written.spend.map(({ ago, cost_usd, ...row }) => ({ ...row, agoMs: ago, costUsd: cost_usd })),
  };
}
