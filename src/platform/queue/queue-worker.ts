import { DelayedError, type Job, type Processor, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Clock, Timer } from "../../core/clock.ts";

/** How a worker of a queue runs. */
export interface QueueWorkerOptions {
  readonly redis: Redis;
  /** Prefix of the queue's keys. */
  readonly prefix: string;
  readonly concurrency: number;
  /** BullMQ's lock, and how often jobs whose lock has run out are handed out again. */
  readonly lockMs: number;
  readonly stalledCheckMs: number;
  /** Seconds that an idle worker waits in one blocking command; 2 by default. */
  readonly drainDelay?: number;
  readonly clock: Clock;
  queueError(error: Error): void;
}

/** A worker of a queue, and how it ends. */
export interface QueueWorker<Data> {
  readonly worker: Worker<Data>;
  /** Resolves when nothing is in hand any more. */
  close(): Promise<void>;
}

/**
 * Starts a BullMQ worker. Nothing that must be right rests on BullMQ: jobs are removed in any case, and a job may stall as often as it likes.
 *
 * One non-connection error of Redis can turn a BullMQ worker into a hot loop (measured: 67,835 events in 6 s under READONLY);
 * 20 errors within a second pause it, for 2 s and doubling up to 30 s.
 */
export function startQueueWorker<Data>(queue: string, processor: Processor<Data>, options: QueueWorkerOptions): QueueWorker<Data> {
  const worker = new Worker<Data>(queue, processor, {
    connection: options.redis,
    prefix: options.prefix,
    concurrency: options.concurrency,
    lockDuration: options.lockMs,
    stalledInterval: options.stalledCheckMs,
    maxStalledCount: 1000,
    drainDelay: options.drainDelay ?? 2,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  const breaker = createBreaker(worker, options.clock);
  worker.on("error", (error) => {
    options.queueError(error);
    breaker.count();
  });
  return {
    worker,
    async close() {
      breaker.stop();
      await worker.close();
    },
  };
}

/** Gives the job back until `at`, in milliseconds. It always throws: that is how BullMQ learns that a job is not done. */
export async function giveBackUntil(job: Pick<Job, "moveToDelayed">, at: number, token: string | undefined): Promise<never> {
  await job.moveToDelayed(at, token);
  throw new DelayedError();
}

function createBreaker(worker: Pick<Worker, "pause" | "resume">, clock: Clock): { count(): void; stop(): void } {
  let errors = 0;
  let windowStart = 0;
  let pauseMs = 2000;
  let pause: Timer | undefined;
  return {
    count() {
      const now = clock.monotonic();
      if (now - windowStart > 1000) {
        if (now - windowStart > 60_000) pauseMs = 2000;
        windowStart = now;
        errors = 0;
      }
      errors += 1;
      if (errors < 20 || pause !== undefined) return;
      worker.pause(true).catch(() => undefined);
      pause = clock.after(pauseMs, () => {
        pause = undefined;
        pauseMs = Math.min(30_000, pauseMs * 2);
        Promise.resolve(worker.resume()).catch(() => undefined);
      });
    },
    stop() {
      pause?.stop();
    },
  };
}
