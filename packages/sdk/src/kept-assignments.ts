const maxTickets = 10_000;

/** Where a ticket's assignment comes from. */
export interface AssignmentSources<Assignment> {
  /** What the ticket's saved work names; goes before anything else. */
  readonly given: Assignment | undefined;
  /** Taken only for a ticket that has nothing yet. */
  readonly fresh: () => Assignment;
}

/** What tickets were assigned, so that a ticket keeps what it began with; the tickets not asked for longest make room. */
export interface AssignmentCache<Assignment> {
  /** The assignment of a ticket under the name of a route or prompt. */
  of(name: string, ticketId: string, sources: AssignmentSources<Assignment>): Assignment;
}

/** Keeps them for as long as the process lives. */
export function createAssignmentCache<Assignment>(): AssignmentCache<Assignment> {
  const assignments = new Map<string, Assignment>();
  return {
    of(name, ticketId, { given, fresh }) {
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
