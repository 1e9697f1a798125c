import type { Redis } from "ioredis";
import type { Log } from "../../core/log.ts";
import { runPeriodically } from "../../core/run-periodically.ts";
import type { StoreGate } from "../../core/store-gate.ts";
import type { WorkerHandle } from "../../core/worker-handle.ts";
import { giveBackUntil, startQueueWorker } from "../../platform/queue/queue-worker.ts";
import type { QueueRecovery } from "./redis-queue-recovery.ts";
import { type TicketJob, ticketPrefix, ticketQueueName } from "./ticket-queue.ts";
import { type WorkTicketDeps, workTicket } from "./work-ticket.ts";

/** How a ticket worker runs. */
export interface TicketWorkerOptions {
  readonly redis: Redis;
  /** Name of the ticket queue. */
  readonly queue: string;
  /** Finds tickets that are in no queue. */
  readonly recovery: QueueRecovery;
  /** From the end of one look for such tickets to the beginning of the next, in milliseconds; 60 s by default. */
  readonly recoverEveryMs?: number;
  readonly concurrency: number;
  /** No further turn is taken; tickets go back to their queue with their work saved. */
  readonly drain: AbortSignal;
  /** The running turns are told to end. */
  readonly abort: AbortSignal;
  readonly log: Log;
  /** No turn is taken while it is not fit. */
  readonly store?: StoreGate;
  /** BullMQ's lock; a dead worker's tickets are handed out again after about one lock and two checks. 10 s and 2 s by default. */
  readonly lockMs?: number;
  readonly stalledCheckMs?: number;
}

/** After a defect of ours or of the store, when the ticket or the look for tickets in no queue is tried again. */
const troubleMs = 5000;

/** Takes tickets of one queue. A ticket that waits holds no worker, and no attempt of BullMQ's is ever used up: attempts are the ticket's own. */
export function startTicketWorker(deps: WorkTicketDeps, options: TicketWorkerOptions): WorkerHandle {
  const { log, drain, abort, recovery, queue, recoverEveryMs = 60_000 } = options;
  const worker = startQueueWorker<TicketJob>(
    ticketQueueName(queue),
    async (job, token = "") => {
      const { ticketId, budget, batchId } = job.data;
      if (options.store?.isFit() === false) return giveBackUntil(job, deps.clock.now() + troubleMs, token);
      const place = budget === undefined ? undefined : { budget, queue, ...(batchId !== undefined && { batchId }) };
      const holder = `${token}:${job.attemptsStarted}`;
      const ticketLease = { holder, losses: job.stalledCounter, drain, abort, ...(place !== undefined && { place }) };
      let afterMs = troubleMs;
      try {
        const step = await workTicket(ticketId, ticketLease, deps);
        log.info({ ticketId, ...step }, "A turn of a ticket ended.");
        if (step.kind !== "later") return;
        afterMs = step.afterMs;
      } catch (error) {
        log.error({ ticketId, error }, "A turn of a ticket met a defect; it is tried again.");
      }
      await giveBackUntil(job, deps.clock.now() + afterMs, token);
    },
    {
      redis: options.redis,
      prefix: ticketPrefix,
      concurrency: options.concurrency,
      lockMs: options.lockMs ?? 10_000,
      stalledCheckMs: options.stalledCheckMs ?? 2000,
      clock: deps.clock,
      ...(options.store !== undefined && { store: options.store }),
      queueError: (error) => log.warn({ error }, "The ticket queue reports an error."),
    },
  );
  // A ticket is recorded before it enters the queue; what a crash left between the two is found here, and what Redis lost of BullMQ's keys.
  const periodic = runPeriodically(
    { name: "ticket recovery", intervalMs: recoverEveryMs, clock: deps.clock, log, signal: drain },
    async ({ signal }) => {
      if (options.store?.isFit() === false) return troubleMs;
      try {
        await recovery.recover(queue);
        const repair = await recovery.repair(queue, signal);
        if (repair.kind === "repaired") log.warn({ queue, ...repair }, "Jobs of open tickets were lost; the tickets got new ones.");
        return recoverEveryMs;
      } catch (error) {
        log.warn({ error }, "Tickets that are in no queue could not be looked for.");
        return troubleMs;
      }
    },
  );
  return {
    async close() {
      await worker.close();
      await periodic.close();
    },
  };
}
