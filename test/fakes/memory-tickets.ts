import { isDeepStrictEqual } from "node:util";
import { type NewTicket, type Ticket, type TicketState, ticketStates } from "../../packages/sdk/src/wire/tickets.ts";
import { canonicalReference } from "../../src/core/canonical-reference.ts";
import type { Clock } from "../../src/core/clock.ts";
import {
  type AddTicketResult,
  hasEnded,
  lostReason,
  recoveryReason,
  type TicketChange,
  type TicketCounts,
  type TicketRecovery,
  type TicketStore,
} from "../../src/llm/tickets/ticket.ts";

/** The contract of ticket stores in memory. */
export function createMemoryTickets(clock: Clock): TicketStore & TicketRecovery {
  const tickets = new Map<string, { wanted: NewTicket; ticket: Ticket; holder: string }>();
  const beats = new Map<string, number>();
  const references = new Map<string, string>();
  /** Open tickets of each queue by their release, and those of them that are in no queue yet. */
  const released = new Map<string, Map<string, number>>();
  const waiting = new Map<string, Map<string, number>>();
  const release = ({ id, queue }: Pick<Ticket, "id" | "queue">) => {
    for (const sets of [released, waiting]) {
      const times = sets.get(queue) ?? new Map<string, number>();
      sets.set(queue, times.set(id, clock.now()));
    }
  };
  const newestFirst = () => [...tickets.values()].map(({ ticket }) => ticket).toReversed();
  const addOne = (wanted: NewTicket): AddTicketResult => {
    const known = tickets.get(wanted.id);
    if (known !== undefined) return { kind: isDeepStrictEqual(known.wanted, wanted) ? "known" : "differs" };
    const { batchId, externalRef, ...rest } = wanted;
    const by = externalRef === undefined ? undefined : references.get(canonicalReference(externalRef));
    if (by !== undefined) return { kind: "taken", by };
    if (externalRef !== undefined) references.set(canonicalReference(externalRef), wanted.id);
    const now = clock.now();
    const ticket: Ticket = {
      ...rest,
      ...(batchId === undefined ? {} : { batchId }),
      ...(externalRef === undefined ? {} : { externalRef }),
      state: "queued",
      reason: "",
      attempt: 1,
      turn: 0,
      saved: null,
      stage: "",
      failures: [],
      createdAt: now,
      updatedAt: now,
    };
    tickets.set(wanted.id, { wanted, ticket, holder: "" });
    release(ticket);
    return { kind: "added" };
  };
  const change = (entry: { ticket: Ticket }, next: TicketChange) => {
    entry.ticket = { ...entry.ticket, ...next, updatedAt: clock.now() };
    const { state: now, reason, stage } = entry.ticket;
    if (now === "running" && stage !== "") beats.set(entry.ticket.id, clock.now());
    else if (now === "waiting" && reason === recoveryReason) beats.set(entry.ticket.id, beats.get(entry.ticket.id) ?? clock.now());
    else if (now !== "waiting" || reason !== lostReason) beats.delete(entry.ticket.id);
    const { externalRef, state, id, queue } = entry.ticket;
    if (hasEnded(state)) released.get(queue)?.delete(id);
    if (externalRef !== undefined && hasEnded(state) && state !== "succeeded" && references.get(canonicalReference(externalRef)) === id)
      references.delete(canonicalReference(externalRef));
  };
  return {
    add: async (wanted) => addOne(wanted).kind === "added",
    addAll: async (wanted) => wanted.map((one) => addOne(one)),
    holdersOf: async (externalRefs) =>
      externalRefs.map((reference) => {
        const ticket = tickets.get(references.get(canonicalReference(reference)) ?? "")?.ticket;
        return ticket === undefined ? undefined : { id: ticket.id, state: ticket.state };
      }),
    async enqueue(ids) {
      for (const id of ids) {
        const entry = tickets.get(id);
        if (entry?.ticket.state === "waiting" && entry.ticket.reason === "batch_draft") {
          release(entry.ticket);
          change(entry, { state: "queued", reason: "" });
        }
      }
    },
    async cancel(id, reason) {
      const entry = tickets.get(id);
      if (entry === undefined || entry.ticket.state === "running" || hasEnded(entry.ticket.state)) return false;
      entry.holder = "";
      change(entry, { state: "cancelled", reason });
      return true;
    },
    get: async (id) => tickets.get(id)?.ticket,
    async claim(id, holder) {
      const entry = tickets.get(id);
      const inRecovery = entry?.ticket.state === "waiting" && entry.ticket.reason === recoveryReason;
      if (entry !== undefined && !inRecovery && !hasEnded(entry.ticket.state)) entry.holder = holder;
      return entry?.ticket;
    },
    async write(id, holder, next) {
      const entry = tickets.get(id);
      if (entry === undefined || entry.holder !== holder || hasEnded(entry.ticket.state)) return false;
      change(entry, next);
      return true;
    },
    async recover(id, holder) {
      const entry = tickets.get(id);
      if (entry === undefined || (entry.ticket.state !== "dead" && hasEnded(entry.ticket.state))) return undefined;
      const { externalRef, state } = entry.ticket;
      if (state === "dead" && externalRef !== undefined) {
        if ((references.get(canonicalReference(externalRef)) ?? id) !== id) return undefined;
        references.set(canonicalReference(externalRef), id);
      }
      if (state === "dead") release(entry.ticket);
      entry.holder = holder;
      change(entry, { state: "waiting", reason: recoveryReason });
      return entry.ticket;
    },
    async standing(before, limit) {
      const old = [...beats].filter(([, at]) => at < before).toSorted(([, a], [, b]) => a - b);
      return old.slice(0, limit).flatMap(([id]) => {
        const ticket = tickets.get(id)?.ticket;
        return ticket === undefined ? [] : [{ id, queue: ticket.queue, stage: ticket.stage }];
      });
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
    async open(queue, { after = Number.NEGATIVE_INFINITY, limit }) {
      const later = [...(released.get(queue) ?? [])].filter(([, at]) => at > after).toSorted(([, one], [, other]) => one - other);
      const at = later[limit - 1]?.[1];
      if (at === undefined) return { ids: later.map(([id]) => id) };
      return { ids: later.filter(([, one]) => one <= at).map(([id]) => id), next: at };
    },
    async stillOpen(queue, ids) {
      return ids.filter((id) => {
        const ticket = tickets.get(id)?.ticket;
        if (ticket !== undefined && !hasEnded(ticket.state)) return true;
        released.get(queue)?.delete(id);
        return false;
      });
    },
    unqueued: async (queue, before, limit) =>
      [...(waiting.get(queue) ?? [])]
        .filter(([, at]) => at <= before)
        .toSorted(([, one], [, other]) => one - other)
        .slice(0, limit)
        .map(([id]) => id),
    async markQueued(queue, ids) {
      for (const id of ids) waiting.get(queue)?.delete(id);
    },
    moveOldIndex: async () => undefined,
    async counts() {
      const none: TicketCounts[string] = {
        queued: 0,
        running: 0,
        waiting: 0,
        succeeded: 0,
        failed: 0,
        dead: 0,
        cancelled: 0,
        quarantined: 0,
      };
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
