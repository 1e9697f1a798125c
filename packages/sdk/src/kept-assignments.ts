const maxTickets = 10_000;

/** What tickets were assigned, so that a ticket keeps what it began with; the tickets not asked for longest make room. */
export interface AssignmentCache<Assignment> {
  /** `given` is what the ticket's saved work names, and goes before anything else; `fresh` is taken only for a ticket that has nothing yet. */
  of(name: string, ticketId: string, fresh: () => Assignment, given?: Assignment): Assignment;
}

/** Keeps them for as long as the process lives. */
export function createAssignmentCache<Assignment>(): AssignmentCache<Assignment> {
  const assignments = new Map<string, Assignment>();
  return {
    of(name, ticketId, fresh, given) {
      const key = `${ticketId} ${name}`;
      const assignment = given ?? assignments.get(key) ?? fresh();
      assignments.delete(key);
      assignments.set(key, assignment);
      const oldest = assignments.keys().next();
      if (assignments.size > maxTickets && oldest.done !== true) assignments.delete(oldest.value);
      return assignment;
    },
  };
}
