import type { RolloutAssignment } from "./wire/rollouts.ts";

const maxTickets = 10_000;
const maxRollouts = 5;

/** Which rollouts the tickets of this process are in, so that their admissions, usage and releases say so. */
export interface TicketRollouts {
  remember(ticketId: string, assignment: RolloutAssignment): void;
  /** What is sent for a ticket: as it is when it names assignments, else with those that are remembered. */
  attach<Sent extends { readonly ticketId: string; readonly assignments?: readonly RolloutAssignment[] }>(sent: Sent): Sent;
  forget(ticketId: string): void;
}

/** Keeps them for as long as the process lives; the tickets not assigned for longest make room. runbookd keeps what it was told once. */
export function createTicketRollouts(): TicketRollouts {
  const tickets = new Map<string, Map<string, RolloutAssignment>>();
  return {
    remember(ticketId, assignment) {
      const rollouts = tickets.get(ticketId) ?? new Map<string, RolloutAssignment>();
      rollouts.set(assignment.rollout, rollouts.get(assignment.rollout) ?? assignment);
      tickets.delete(ticketId);
      tickets.set(ticketId, rollouts);
      const oldest = tickets.keys().next();
      if (tickets.size > maxTickets && oldest.done !== true) tickets.delete(oldest.value);
    },
    attach(sent) {
      const rollouts = tickets.get(sent.ticketId);
      if (rollouts === undefined || sent.assignments !== undefined) return sent;
      return { ...sent, assignments: [...rollouts.values()].slice(-maxRollouts) };
    },
    forget: (ticketId) => void tickets.delete(ticketId),
  };
}
