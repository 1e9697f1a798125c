import type { Redis } from "ioredis";
import { sha256 } from "../../core/json.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { openQueue } from "../../platform/queue/open-queue.ts";
import type { OpenTickets, TicketEnqueuer, TicketWakeQueue } from "./ticket.ts";

/** Shares the hash tag of the workload. */
export const ticketPrefix = "{wl}";

/** What a job carries: nothing that must be right, the ticket itself is in the store. */
export interface TicketJob {
  readonly ticketId: string;
}

/** BullMQ's name of a ticket queue. */
export function ticketQueueName(queue: string): string {
  return `tickets-${queue}`;
}

/** The same for every ring of a ticket, so that a ticket is in its queue once. A hash: an id from outside could brick the queue. */
export function ticketJobId(ticketId: string): string {
  return `t-${sha256(ticketId).slice(0, 32)}`;
}

/** BullMQ's key of a place of a ticket queue, such as `wait`. */
export function ticketQueueKey(queue: string, place: string): string {
  return `${ticketPrefix}:${ticketQueueName(queue)}:${place}`;
}

/** BullMQ's key of a ticket's job. */
export function ticketJobKey(queue: string, ticketId: string): string {
  return ticketQueueKey(queue, ticketJobId(ticketId));
}

/** The ticket queues of BullMQ, one per queue name, made when first needed. */
export interface TicketQueue extends TicketWakeQueue, TicketEnqueuer {
  /** Lets every waiting ticket of a queue ask its gate now. */
  wakeAll(queue: string): Promise<void>;
  close(): Promise<void>;
}

/** `tickets` hears of every ticket that is in its queue; `failed` hears of the queue's own errors. */
export function createTicketQueue(redis: Redis, tickets: Pick<OpenTickets, "markQueued">, failed: (error: Error) => void): TicketQueue {
  const queues = new Map<string, ReturnType<typeof openQueue<TicketJob>>>();
  const queueOf = (name: string) => {
    const existing = queues.get(name);
    if (existing !== undefined) return existing;
    const queue = openQueue<TicketJob>(ticketQueueName(name), { redis, prefix: ticketPrefix, failed });
    queues.set(name, queue);
    return queue;
  };
  // A finished job that stayed would swallow the next ring of its id.
  const optionsOf = (ticketId: string) => ({ jobId: ticketJobId(ticketId), removeOnComplete: true, removeOnFail: true });
  const jobOf = (ticketId: string) => ({ name: "ticket", data: { ticketId }, opts: optionsOf(ticketId) });
  const add = async (ticket: { readonly id: string; readonly queue: string }) =>
    queueOf(ticket.queue).add("ticket", { ticketId: ticket.id }, optionsOf(ticket.id));

  return {
    async enqueue(ticket) {
      try {
        const job = await add(ticket);
        // A ticket that waits is asked for now; one that runs or is queued needs nothing.
        if (await job.isDelayed()) await job.promote().catch(() => undefined);
        await tickets.markQueued(ticket.queue, [ticket.id]);
      } catch (error) {
        throw new StoreUnavailable(error instanceof Error ? error.message.slice(0, 200) : "unknown");
      }
    },
    async enqueueAll(ids, queue) {
      try {
        await queueOf(queue).addBulk(ids.map((id) => jobOf(id)));
        await tickets.markQueued(queue, ids);
      } catch (error) {
        throw new StoreUnavailable(error instanceof Error ? error.message.slice(0, 200) : "unknown");
      }
    },
    wakeAll: async (queue) => queueOf(queue).promoteJobs(),
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
}
