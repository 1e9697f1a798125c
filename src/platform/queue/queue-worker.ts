import { DelayedError, type Job, type Processor, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Clock, Timer } from "../../core/clock.ts";
import type { StoreGate } from "../../core/store-gate.ts";

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
  /** No job is taken while it is not fit; absent: jobs are taken always. */
  readonly store?: StoreGate;
  queueError(error: Error): void;
}

/** A worker of a queue, and how it ends. */
export interface QueueWorker<Data> {
  readonly worker: Worker<Data>;
  /** No further job is taken. */
  drain(): void;
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
  const holds = createHolds(worker);
  const { store } = options;
  const holdUnlessFit = (isFit: boolean) => holds.set("store", !isFit);
  const stopListening = store?.onChange(holdUnlessFit);
  if (store !== undefined) holdUnlessFit(store.isFit());
  const breaker = createBreaker(holds, options.clock);
  worker.on("error", (error) => {
    options.queueError(error);
    breaker.count();
  });
  return {
    worker,
    drain: () => holds.set("drain", true),
    async close() {
      stopListening?.();
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

/** Why a worker takes no jobs; it takes them again when no reason is left. */
interface Holds {
  set(reason: "breaker" | "store" | "drain", isHeld: boolean): void;
}

function createHolds(worker: Pick<Worker, "pause" | "resume">): Holds {
  const reasons = new Set<string>();
  return {
    set(reason, isHeld) {
      const wasHeld = reasons.size > 0;
      if (isHeld) reasons.add(reason);
      else reasons.delete(reason);
      if (reasons.size > 0 === wasHeld) return;
      if (reasons.size > 0) worker.pause(true).catch(() => undefined);
      else Promise.resolve(worker.resume()).catch(() => undefined);
    },
  };
}

function createBreaker(holds: Holds, clock: Clock): { count(): void; stop(): void } {
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
      holds.set("breaker", true);
      pause = clock.after(pauseMs, () => {
        pause = undefined;
        pauseMs = Math.min(30_000, pauseMs * 2);
        holds.set("breaker", false);
      });
    },
    stop() {
      pause?.stop();
    },
  };
}
