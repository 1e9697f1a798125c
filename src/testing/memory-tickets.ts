import type { Clock } from "../core/clock.ts";
import {
  hasEnded,
  ticketStates,
  type NewTicket,
  type Ticket,
  type TicketCounts,
  type TicketState,
  type TicketStore,
} from "../workload/ticket.ts";

/** The contract of ticket stores in memory. */
export function createMemoryTickets(clock: Clock): TicketStore {
  const tickets = new Map<string, { ticket: Ticket; holder: string }>();
  const newestFirst = () => [...tickets.values()].map(({ ticket }) => ticket).toReversed();
  return {
    async add(wanted: NewTicket) {
      if (tickets.has(wanted.id)) return false;
      const { batchId, ...rest } = wanted;
      const now = clock.now();
      const ticket: Ticket = {
        ...rest,
        ...(batchId === undefined ? {} : { batchId }),
        state: "queued",
        reason: "",
        attempt: 1,
        turn: 0,
        saved: null,
        createdAt: now,
        updatedAt: now,
      };
      tickets.set(wanted.id, { ticket, holder: "" });
      return true;
    },
    get: async (id) => tickets.get(id)?.ticket,
    async hold(id, holder) {
      const entry = tickets.get(id);
      if (entry !== undefined && !hasEnded(entry.ticket.state)) entry.holder = holder;
      return entry?.ticket;
    },
    async write(id, holder, change) {
      const entry = tickets.get(id);
      if (entry === undefined || entry.holder !== holder || hasEnded(entry.ticket.state)) return false;
      entry.ticket = { ...entry.ticket, ...change, updatedAt: clock.now() };
      return true;
    },
    async list({ state, batchId }, { cursor, limit }) {
      if (cursor !== undefined && !/^\d{1,10}$/.test(cursor)) return undefined;
      const all = newestFirst().filter(
        (ticket) => (state === undefined || ticket.state === state) && (batchId === undefined || ticket.batchId === batchId),
      );
      const start = cursor === undefined ? 0 : all.length - Number(cursor);
      const items = all.slice(start, start + limit);
      const rest = all.length - start - items.length;
      return rest > 0 ? { items, nextCursor: String(rest) } : { items };
    },
    async open(offset, limit) {
      const open = newestFirst()
        .toReversed()
        .filter(({ state }) => !hasEnded(state));
      return open.slice(offset, offset + limit).map(({ id, queue }) => ({ id, queue }));
    },
    async counts() {
      const none: TicketCounts[string] = { queued: 0, running: 0, waiting: 0, succeeded: 0, failed: 0, dead: 0, cancelled: 0 };
      const counts: { [queue: string]: { [State in TicketState]: number } } = {};
      for (const { queue, state } of newestFirst()) {
        const row = counts[queue] ?? { ...none };
        counts[queue] = row;
        for (const known of ticketStates) if (known === state) row[known] += 1;
      }
      return counts;
    },
  };
}
