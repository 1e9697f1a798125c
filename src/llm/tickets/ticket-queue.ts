import type { Redis } from "ioredis";
import { sha256 } from "../../core/json.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { openQueue } from "../../platform/queue/open-queue.ts";
import type { OpenTickets, QueuedTicket, TicketEnqueuer, TicketWakeQueue } from "./ticket.ts";

/** Shares the hash tag of the workload. */
export const ticketPrefix = "{wl}";

/** What a job carries: nothing that must be right, the ticket itself is in the store. Older versions wrote the id alone. */
export interface TicketJob {
  readonly ticketId: string;
  readonly budget?: string;
  readonly batchId?: string;
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
  // A finished job that stayed would swallow the next ring of its id: workers remove every job (queue-worker.ts), so that each need not say so.
  const jobOf = ({ id: ticketId, budget, batchId }: QueuedTicket) => ({
    name: "ticket",
    data: { ticketId, ...(budget !== undefined && { budget }), ...(batchId !== undefined && { batchId }) },
    opts: { jobId: ticketJobId(ticketId) },
  });

  return {
    async enqueue(ticket) {
      try {
        const { name, data, opts } = jobOf(ticket);
        const job = await queueOf(ticket.queue).add(name, data, opts);
        // A ticket that waits is asked for now; one that runs or is queued needs nothing.
        if (await job.isDelayed()) await job.promote().catch(() => undefined);
        await tickets.markQueued(ticket.queue, [ticket.id]);
      } catch (error) {
        throw new StoreUnavailable(error instanceof Error ? error.message.slice(0, 200) : "unknown");
      }
    },
    async enqueueAll(added, queue) {
      try {
        await queueOf(queue).addBulk(added.map((ticket) => jobOf(ticket)));
        await tickets.markQueued(
          queue,
          added.map(({ id }) => id),
        );
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
