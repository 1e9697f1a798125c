/** What a ticket that is code work goes through, in this order. */
export const ticketPhases = ["plan", "implement", "test", "review", "publish"] as const;

/** See {@link ticketPhases}. */
export type TicketPhase = (typeof ticketPhases)[number];
