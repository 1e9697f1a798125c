import type { BatchEstimate, KindEstimate, RoomVerdict, TicketEstimate } from "../../../packages/sdk/src/wire/batches.ts";
import { formatUsd, type MicroUsd, oneUsd } from "../../core/money.ts";

/** Below this many ended tickets of a kind, their costs say too little. */
export const fewTickets = 20;

/** Assumed for a kind that nobody has seen: what an agent's ticket of several turns usually stays under. */
export const defaultPrior = { p50MicroUsd: oneUsd / 4, p90MicroUsd: oneUsd };

/**
 * Median and 90th percentile (nearest rank) of what tickets of a kind cost. With fewer than 20 the prior holds, raised to the dearest ticket seen;
 * a cap per ticket bounds both, because a ticket that passes it is stopped.
 */
export function estimateTicket(costs: readonly MicroUsd[], capMicroUsd: MicroUsd | null, prior = defaultPrior): TicketEstimate {
  const bound = (amount: MicroUsd) => (capMicroUsd === null ? amount : Math.min(amount, capMicroUsd));
  const sorted = costs.toSorted((a, b) => a - b);
  const n = sorted.length;
  if (n < fewTickets) {
    const dearest = sorted.at(-1) ?? 0;
    return { p50MicroUsd: bound(prior.p50MicroUsd), p90MicroUsd: bound(Math.max(prior.p90MicroUsd, dearest)), n, from: "prior" };
  }
  const rank = (share: number) => sorted[Math.ceil(share * n) - 1] ?? 0;
  return { p50MicroUsd: bound(rank(0.5)), p90MicroUsd: bound(rank(0.9)), n, from: "history" };
}

/** Adds the kinds of a batch up. */
export function estimateBatch(kinds: readonly KindEstimate[]): BatchEstimate {
  const sum = (of: (kind: KindEstimate) => number) => kinds.reduce((total, kind) => total + of(kind), 0);
  return {
    kinds,
    tickets: sum(({ tickets }) => tickets),
    p50MicroUsd: sum(({ tickets, p50MicroUsd }) => tickets * p50MicroUsd),
    p90MicroUsd: sum(({ tickets, p90MicroUsd }) => tickets * p90MicroUsd),
  };
}

/** What a batch would be reserved from. */
export interface BudgetRoom {
  readonly spentMicroUsd: MicroUsd;
  readonly committedMicroUsd: MicroUsd;
  readonly limitMicroUsd: MicroUsd;
}

/** Compares spent + reserved + the batch's 90th percentile with the limit. */
export function judgeRoom(estimate: Pick<BatchEstimate, "p90MicroUsd" | "tickets">, room: BudgetRoom): RoomVerdict {
  const { spentMicroUsd: spent, committedMicroUsd: committed, limitMicroUsd: limit } = room;
  const asked = spent + committed + estimate.p90MicroUsd;
  const remaining = Math.max(0, limit - spent - committed);
  const fits = asked <= limit;
  const sum = `${formatUsd(spent)} spent + ${formatUsd(committed)} reserved + ${formatUsd(estimate.p90MicroUsd)} for ${estimate.tickets} tickets (p90) = ${formatUsd(asked)}`;
  return {
    fits,
    arithmetic: fits
      ? `${sum}, within the limit ${formatUsd(limit)}.`
      : `${sum}, ${formatUsd(asked - limit)} more than the limit ${formatUsd(limit)}.`,
    shareOfRemaining: remaining === 0 ? (estimate.p90MicroUsd === 0 ? 0 : Number.MAX_SAFE_INTEGER) : estimate.p90MicroUsd / remaining,
  };
}
