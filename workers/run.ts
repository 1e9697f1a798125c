import { Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Execution, Executor } from "../src/engine/execute-run.ts";
import type { Hand } from "./hand.ts";
import { type WakeJob, wakePrefix, wakeQueueName } from "../src/queue/wake-queue.ts";

/** What a running loop answers to: stop taking, let the current step finish, come back. */
export interface WorkerHandle {
  /** Resolves when nothing is in hand any more. */
  close(): Promise<void>;
}

/** What a worker tells. */
export interface RunWorkerLog {
  executed(runId: string, execution: Execution): void;
  failed(runId: string, error: unknown): void;
  queueError(error: Error): void;
}

/**
 * Answers the doorbell: one wake-up, one look at the run. Nothing that must be right rests on BullMQ: a wake-up that fails or is lost
 * is found by the sweeper, so jobs are removed in any case.
 *
 * One non-connection error of Redis can turn a BullMQ worker into a hot loop (measured: 67,835 events in 6 s under READONLY);
 * 20 errors within a second pause it, for 2 s and doubling up to 30 s.
 */
export function startRunWorker(
  executor: Executor,
  options: {
    readonly redis: Redis;
    readonly concurrency: number;
    readonly hand: Hand;
    readonly drain: AbortSignal;
    readonly log: RunWorkerLog;
  },
): WorkerHandle {
  const { log } = options;
  const worker = new Worker<WakeJob>(
    wakeQueueName,
    async (job) => {
      const { runId } = job.data;
      // What rings now is found by another worker's sweeper.
      if (options.drain.aborted) return;
      try {
        log.executed(runId, await options.hand.hold(async () => executor.execute(runId, options.drain)));
      } catch (error) {
        log.failed(runId, error);
      }
    },
    {
      connection: options.redis,
      prefix: wakePrefix,
      concurrency: options.concurrency,
      lockDuration: 30_000,
      stalledInterval: 5_000,
      maxStalledCount: 1000,
      drainDelay: 2,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    },
  );
  const breaker = createBreaker(worker);
  worker.on("error", (error) => {
    log.queueError(error);
    breaker.count();
  });
  const rest = () => void worker.pause(true).catch(() => undefined);
  if (options.drain.aborted) rest();
  else options.drain.addEventListener("abort", rest, { once: true });
  return {
    async close() {
      options.drain.removeEventListener("abort", rest);
      breaker.stop();
      await worker.close();
    },
  };
}

/** Pauses a BullMQ worker that reports 20 errors within a second, for 2 s and doubling up to 30 s. */
export function createBreaker(worker: Pick<Worker, "pause" | "resume">): { count(): void; stop(): void } {
  let errors = 0;
  let windowStart = 0;
  let pauseMs = 2000;
  let timer: NodeJS.Timeout | undefined;
  return {
    count() {
      const now = performance.now();
      if (now - windowStart > 1000) {
        if (now - windowStart > 60_000) pauseMs = 2000;
        windowStart = now;
        errors = 0;
      }
      errors += 1;
      if (errors < 20 || timer !== undefined) return;
      worker.pause(true).catch(() => undefined);
      timer = setTimeout(() => {
        timer = undefined;
        pauseMs = Math.min(30_000, pauseMs * 2);
        Promise.resolve(worker.resume()).catch(() => undefined);
      }, pauseMs);
      timer.unref();
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
