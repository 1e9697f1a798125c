import type { Redis } from "ioredis";
import type { WorkerHandle } from "../../core/worker-handle.ts";
import { giveBackUntil, startQueueWorker } from "../../platform/queue/queue-worker.ts";
import { type TicketJob, type TicketQueue, ticketPrefix, ticketQueueName } from "./ticket-queue.ts";
import { type TicketStep, type WorkTicketDeps, workTicket } from "./work-ticket.ts";

/** What a ticket worker tells. */
export interface TicketWorkerLog {
  worked(ticketId: string, step: TicketStep): void;
  failed(ticketId: string, error: unknown): void;
  queueError(error: Error): void;
}

/** How a ticket worker runs. */
export interface TicketWorkerOptions {
  readonly redis: Redis;
  /** Name of the ticket queue. */
  readonly queue: string;
  /** Finds the tickets whose ring was lost. The caller owns it and closes it after the worker. */
  readonly recovery: Pick<TicketQueue, "recover">;
  readonly concurrency: number;
  /** No further turn is taken; tickets go back to their queue with their work saved. */
  readonly drain: AbortSignal;
  /** The running turns are told to end. */
  readonly abort: AbortSignal;
  readonly log: TicketWorkerLog;
  /** BullMQ's lock; a dead worker's tickets are handed out again after about one lock and two checks. 10 s and 2 s by default. */
  readonly lockMs?: number;
  readonly stalledCheckMs?: number;
}

/** How often tickets whose ring was lost are looked for. */
const recoverEveryMs = 300_000;

/** After a defect of ours or of the store, when the ticket or the look for lost rings is tried again. */
const troubleMs = 5000;

/** Takes tickets of one queue. A ticket that waits holds no worker, and no attempt of BullMQ's is ever used up: attempts are the ticket's own. */
export function startTicketWorker(deps: WorkTicketDeps, options: TicketWorkerOptions): WorkerHandle {
  const { log, drain, abort } = options;
  const worker = startQueueWorker<TicketJob>(
    ticketQueueName(options.queue),
    async (job, token = "") => {
      const { ticketId } = job.data;
      const hold = { holder: `${token}:${job.attemptsStarted}`, losses: job.stalledCounter, drain, abort };
      let afterMs = troubleMs;
      try {
        const step = await workTicket(ticketId, hold, deps);
        log.worked(ticketId, step);
        if (step.kind !== "later") return;
        afterMs = step.afterMs;
      } catch (error) {
        log.failed(ticketId, error);
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
      queueError: (error) => log.queueError(error),
    },
  );
  const closing = new AbortController();
  const recovering = recoverUntil(
    AbortSignal.any([drain, closing.signal]),
    async () => options.recovery.recover(deps.store, options.queue),
    deps,
    log,
  );
  return {
    async close() {
      closing.abort();
      await worker.close();
      await recovering;
    },
  };
}

/** A ticket is recorded before it is rung for; what a crash left between the two is found here. */
async function recoverUntil(
  over: AbortSignal,
  recover: () => Promise<number>,
  { clock }: WorkTicketDeps,
  log: TicketWorkerLog,
): Promise<void> {
  while (!over.aborted) {
    let restMs = recoverEveryMs;
    try {
      await recover();
    } catch (error) {
      restMs = troubleMs;
      log.queueError(error instanceof Error ? error : new Error(String(error)));
    }
    await clock.sleep(restMs, over).catch(() => undefined);
  }
}
