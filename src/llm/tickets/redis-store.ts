import type { Redis } from "ioredis";
import { z } from "zod";
import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import { type NewTicket, type Ticket, ticketStates } from "../../../packages/sdk/src/wire/tickets.ts";
import type { Clock } from "../../core/clock.ts";
import { sha256 } from "../../core/json.ts";
import { available } from "../../platform/redis/available.ts";
import { pageOf } from "../../platform/redis/page-of.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import type { QueueCounts } from "../budgets/budget-ledger.ts";
import { type TicketWriteMode, ticketScripts } from "./redis-scripts.ts";
import { fieldsOfChange, progressSlotOf, readTicket, ticketRetentionMs } from "./redis-ticket-codec.ts";
import {
  type AddTicketResult,
  recoveryReason,
  stateCounts,
  type TicketChange,
  type TicketCounts,
  type TicketRecovery,
  type TicketStore,
} from "./ticket.ts";

const index = keys.ticketIndex;

/** Which ticket is written, for whom, and how. */
interface TicketWrite {
  readonly id: string;
  /** Absent: nobody; a claim leaves the ticket without a holder. */
  readonly holder?: string;
  readonly mode: TicketWriteMode;
}

/** Tickets in Redis, and what the ledger asks about them. Rejects with StoreUnavailable when Redis does not answer. */
export function createTicketStore({
  redis,
  clock,
}: {
  readonly redis: Redis;
  readonly clock: Pick<Clock, "now">;
}): TicketStore & TicketRecovery & QueueCounts {
  const get = async (id: string): Promise<Ticket | undefined> => {
    const fields = await redis.hgetall(keys.ticket(id));
    return fields["id"] === undefined ? undefined : readTicket(fields);
  };
  const write = async ({ id, holder = "", mode }: TicketWrite, change: TicketChange): Promise<number> => {
    const [batch, budget, reference, queue] = await redis.hmget(keys.ticket(id), "batch", "budget", "external_ref", "queue");
    const now = clock.now();
    const result = await ticketScripts.write.run(redis, {
      keys: {
        ticket: keys.ticket(id),
        openTickets: keys.openTickets(queue ?? ""),
        unqueuedTickets: keys.unqueuedTickets(queue ?? ""),
        counts: keys.ticketCounts,
        batch: keys.batch(batch ?? ""),
        ticketSpend: keys.ticketSpend(budget ?? "", id),
        batchEnded: keys.batchEnded(batch ?? ""),
        referenceHolder: keys.reference(reference ?? ""),
        heartbeats: keys.ticketHeartbeats,
      },
      args: { holder, now, mode, retentionMs: ticketRetentionMs, newState: change.state ?? "", slot: progressSlotOf(now) },
      moreArgs: fieldsOfChange(change),
    });
    return Number(result);
  };

  const addOne = async (ticket: NewTicket): Promise<AddTicketResult> => {
    const { id, budget, queue, batchId = "", payload, variant, maxAttempts, estimateMicroUsd, kind, externalRef = "" } = ticket;
    const result = await ticketScripts.add.run(redis, {
      keys: {
        ticket: keys.ticket(id),
        tickets: index,
        counts: keys.ticketCounts,
        batch: keys.batch(batchId),
        batchTickets: keys.batchTickets(batchId),
        budgetQueues: keys.queues(budget),
        budgetBatches: keys.batches(budget),
        openTickets: keys.openTickets(queue),
        unqueuedTickets: keys.unqueuedTickets(queue),
        referenceHolder: keys.reference(externalRef),
        budget: keys.budget(budget),
      },
      args: {
        id,
        now: clock.now(),
        budgetId: budget,
        queue,
        batchId,
        definition: JSON.stringify({ payload, variant, maxAttempts }),
        estimate: estimateMicroUsd,
        retentionMs: ticketRetentionMs,
        hash: sha256(canonicalJson(ticket)),
        kind,
        reference: externalRef,
      },
    });
    const [resultKind, by = ""] = addResultSchema.parse(result);
    return resultKind === "taken" ? { kind: "taken", by } : { kind: resultKind };
  };

  const checkOpen = async (id: string, queue: string): Promise<boolean> => {
    const at = { ticket: keys.ticket(id), openTickets: keys.openTickets(queue), oldOpenTickets: keys.oldOpenTickets };
    return (await ticketScripts.checkOpen.run(redis, { keys: at, args: { id } })) === 1;
  };

  return {
    add: (ticket) => available(async () => (await addOne(ticket)).kind === "added"),
    // Each script is sent at once and they are answered in order; one connection keeps up with thousands.
    addAll: (tickets) => available(() => Promise.all(tickets.map((ticket) => addOne(ticket)))),
    holdersOf: (externalRefs) =>
      available(async () => {
        if (externalRefs.length === 0) return [];
        const ids = await redis.mget(externalRefs.map((reference) => keys.reference(reference)));
        return Promise.all(
          ids.map(async (id) => {
            const state = id === null ? null : await redis.hget(keys.ticket(id), "state");
            return id === null || state === null ? undefined : { id, state: z.enum(ticketStates).parse(state) };
          }),
        );
      }),
    enqueue: (ids) =>
      available(async () => {
        await Promise.all(ids.map((id) => write({ id, mode: "activate_draft" }, { state: "queued", reason: "" })));
      }),
    cancel: (id, reason) => available(async () => (await write({ id, mode: "claim_if_idle" }, { state: "cancelled", reason })) === 1),
    get: (id) => available(() => get(id)),
    claim: (id, holder) =>
      available(async () => {
        const result = await write({ id, holder, mode: "claim" }, {});
        return result === -1 ? undefined : get(id);
      }),
    write: (id, holder, change) => available(async () => (await write({ id, holder, mode: "update" }, change)) === 1),
    recover: (id, holder) =>
      available(async () => {
        const change = { state: "waiting", reason: recoveryReason } as const;
        return (await write({ id, holder, mode: "claim_for_recovery" }, change)) === 1 ? get(id) : undefined;
      }),
    standing: (before, limit) =>
      available(async () => {
        const ids = await redis.zrange(keys.ticketHeartbeats, "-inf", `(${before}`, "BYSCORE", "LIMIT", 0, limit);
        const tickets = await Promise.all(ids.map((id) => get(id)));
        return tickets.flatMap((ticket) => (ticket === undefined ? [] : [{ id: ticket.id, queue: ticket.queue, stage: ticket.stage }]));
      }),
    list: (filter, { cursor, limit }) =>
      available(async () => {
        const source = filter.batchId === undefined ? index : keys.batchTickets(filter.batchId);
        return pageOf(redis, { source, cursor, limit }, async (id) => {
          const ticket = await get(id);
          return ticket !== undefined && (filter.state === undefined || ticket.state === filter.state) ? ticket : undefined;
        });
      }),
    open: (queue, { after, limit }) =>
      available(async () => {
        const key = keys.openTickets(queue);
        const from = after === undefined ? "-inf" : `(${after}`;
        const page = await redis.zrange(key, from, "+inf", "BYSCORE", "LIMIT", 0, limit, "WITHSCORES");
        const score = page.at(-1);
        if (page.length < 2 * limit || score === undefined) return { ids: page.filter((_, index) => index % 2 === 0) };
        const earlier = page.filter((_, index) => index % 2 === 0 && page[index + 1] !== score);
        return { ids: [...earlier, ...(await redis.zrange(key, score, score, "BYSCORE"))], next: Number(score) };
      }),
    stillOpen: (queue, ids) =>
      available(async () => {
        const states = await Promise.all(ids.map(async (id) => checkOpen(id, queue)));
        return ids.filter((_, index) => states[index] === true);
      }),
    unqueued: (queue, before, limit) =>
      available(async () => redis.zrange(keys.unqueuedTickets(queue), "-inf", String(before), "BYSCORE", "LIMIT", 0, limit)),
    markQueued: (queue, ids) =>
      available(async () => {
        if (ids.length > 0) await redis.zrem(keys.unqueuedTickets(queue), ...ids);
      }),
    moveOldIndex: () =>
      available(async () => {
        for (;;) {
          // Each one that is checked leaves the set.
          const ids = await redis.zrange(keys.oldOpenTickets, 0, "499");
          if (ids.length === 0) return;
          await Promise.all(ids.map(async (id) => checkOpen(id, (await redis.hget(keys.ticket(id), "queue")) ?? "")));
        }
      }),
    counts: () =>
      available(async () => {
        const counts = await redis.hgetall(keys.ticketCounts);
        const queues = Object.keys(counts).flatMap((field) => /^queue ([^ ]+) /.exec(field)?.[1] ?? []);
        const entries = [...new Set(queues)].map((queue) => [queue, stateCounts((state) => counts[`queue ${queue} ${state}`])] as const);
        return Object.fromEntries(entries) satisfies TicketCounts;
      }),
    countsOf: (budgets) =>
      available(async () => {
        if (budgets.length === 0) return [];
        const fields = budgets.flatMap((budget) => [`budget ${budget} queued`, `budget ${budget} waiting`]);
        const counts = await redis.hmget(keys.ticketCounts, ...fields);
        return budgets.map((_, index) => ({
          queued: Number(counts[index * 2] ?? 0) + Number(counts[index * 2 + 1] ?? 0),
          queues: [],
          batches: [],
        }));
      }),
  };
}

const addResultSchema = z.union([z.tuple([z.enum(["added", "known", "differs", "sealed"])]), z.tuple([z.literal("taken"), z.string()])]);
