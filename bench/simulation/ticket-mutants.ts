import type { TicketMutant } from "./ticket-world.ts";

/** Ways to break the ledger of money, each of which the checkers must find. */
export const ticketMutants: readonly TicketMutant[] = [
  {
    name: "usage-counted-twice",
    says: "a report that is repeated is counted again",
    ledger(ledger) {
      let count = 0;
      return {
        ...ledger,
        record: async (events) => ledger.record(events.map((event) => ({ ...event, id: `${event.id}-${(count += 1)}` }))),
      };
    },
  },
  {
    name: "admitted-without-reservation",
    says: "an admission reserves nothing",
    ledger: (ledger) => ({ ...ledger, admit: async (request) => ledger.admit({ ...request, estimateMicroUsd: 0 }) }),
  },
  {
    name: "lost-report",
    says: "a report is acknowledged and not counted when its lease is over",
    ledger: (ledger) => ({
      ...ledger,
      async record(events) {
        const [first] = events;
        const running = first === undefined ? [] : await ledger.running(first.budget);
        return running.some(({ ticketId }) => ticketId === first?.ticketId) ? ledger.record(events) : [];
      },
    }),
  },
];
