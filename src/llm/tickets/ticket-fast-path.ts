import type { AdmissionAnswer } from "../../../packages/sdk/src/wire/admissions.ts";
import type { Ticket } from "../../../packages/sdk/src/wire/tickets.ts";
import type { TicketChange } from "./ticket.ts";

/** Where a ticket belongs, as its job says it. */
export interface TicketPlace {
  readonly budget: string;
  readonly queue: string;
  readonly batchId?: string;
}

/** A ticket that has begun, with the admission of its turn. */
export interface BegunTicket {
  readonly ticket: Ticket;
  readonly answer: AdmissionAnswer & { readonly kind: "admitted" };
}

/** How a ticket ends. */
export interface TicketOutcome {
  readonly state: "succeeded" | "failed" | "dead" | "cancelled";
  readonly reason: string;
  /** What else is saved of it. */
  readonly change?: TicketChange;
  /** Nothing of its last turn will be billed. */
  readonly unused?: boolean;
  readonly failureClass?: string;
}

/**
 * The beginning and the end of a ticket in one step each, where the tickets and the budget are in one store. It never admits what the gate would not; it
 * may leave to the gate what that would admit. All reject with StoreUnavailable when the store does not answer.
 */
export interface TicketFastPath {
  /** Takes the ticket for `holder`, admits its turn and lets it run. Undefined: the gate must be asked, and the ticket is as it was. */
  begin(ticket: TicketPlace & { readonly id: string }, holder: string): Promise<BegunTicket | undefined>;
  /** Writes the end and gives the lease back. False: somebody else holds the ticket, or it has ended; nothing was written. */
  end(ticket: Ticket, holder: string, outcome: TicketOutcome): Promise<boolean>;
}
