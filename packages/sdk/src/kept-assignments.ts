const maxTickets = 10_000;

/** What tickets were assigned, so that a ticket keeps what it began with; the tickets not asked for longest make room. */
export interface KeptAssignments<Assignment> {
  /** `given` is what the ticket's saved work names, and goes before anything else; `fresh` is taken only for a ticket that has nothing yet. */
  of(name: string, ticketId: string, fresh: () => Assignment, given?: Assignment): Assignment;
}

/** Keeps them for as long as the process lives. */
export function createKeptAssignments<Assignment>(): KeptAssignments<Assignment> {
  const kept = new Map<string, Assignment>();
  return {
    of(name, ticketId, fresh, given) {
      const key = `${ticketId} ${name}`;
      const own = given ?? kept.get(key) ?? fresh();
      kept.delete(key);
      kept.set(key, own);
      const oldest = kept.keys().next();
      if (kept.size > maxTickets && oldest.done !== true) kept.delete(oldest.value);
      return own;
    },
  };
}
