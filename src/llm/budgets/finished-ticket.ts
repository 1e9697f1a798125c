import type { Instant } from "../../core/clock.ts";
import type { MicroUsd } from "../../core/money.ts";
import type { FinishedTicket } from "./budget-ledger.ts";

/** What a ticket came to, as the ledger counted it. */
export interface TicketTotals {
  readonly costMicroUsd: MicroUsd;
  readonly startedAt: Instant;
  readonly attempts: number;
}

/** A release that ended its ticket. */
export type EndingRelease = Pick<FinishedTicket, "ticketId" | "budget" | "queue" | "variant" | "outcome"> & {
  readonly failureClass?: string | undefined;
};

/** The ticket that a release has ended at `now`. */
export function finishedTicket(release: EndingRelease, { startedAt, ...totals }: TicketTotals, now: Instant): FinishedTicket {
  const { ticketId, budget, queue, outcome, variant, failureClass } = release;
  const finished = { ticketId, budget, queue, outcome, variant, ...totals, durationMs: Math.max(0, now - startedAt) };
  return failureClass === undefined ? finished : { ...finished, failureClass };
}
