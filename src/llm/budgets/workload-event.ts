import type { UsageCounted, UsageRefused } from "../usage/usage-ledger.ts";
import type { FinishedTicket } from "./budget-ledger.ts";

/** What happens in the workload. */
export type WorkloadEvent = UsageCounted | UsageRefused | TicketEnded;

/** A ticket has ended; happens once per ticket. */
export interface TicketEnded {
  readonly kind: "ticket_ended";
  readonly ticket: FinishedTicket;
}
