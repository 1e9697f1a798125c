import type { Redis } from "ioredis";
import type { Clock } from "../core/clock.ts";
import type { WorkerHandle } from "../core/worker-handle.ts";
import { startQueueWorker } from "../platform/queue/queue-worker.ts";
import { type WakeJob, wakePrefix, wakeQueueName } from "./bull-wake-queue.ts";
import type { ConcurrencyLimiter } from "./concurrency-limiter.ts";
import type { Execution, Executor } from "./engine/execute-run.ts";

/** What a worker tells. */
export interface RunWorkerLog {
  executed(runId: string, execution: Execution): void;
  failed(runId: string, error: unknown): void;
  queueError(error: Error): void;
}

/**
 * Answers the doorbell: one wake-up, one look at the run. A wake-up that fails or is lost is found by the sweeper.
 */
export function startRunWorker(
  executor: Executor,
  options: {
    readonly redis: Redis;
    readonly concurrency: number;
    readonly hand: ConcurrencyLimiter;
    readonly drain: AbortSignal;
    readonly clock: Clock;
    readonly log: RunWorkerLog;
  },
): WorkerHandle {
  const { log } = options;
  const bull = startQueueWorker<WakeJob>(
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
      redis: options.redis,
      prefix: wakePrefix,
      concurrency: options.concurrency,
      lockMs: 30_000,
      stalledCheckMs: 5000,
      clock: options.clock,
      queueError: (error) => log.queueError(error),
    },
  );
  const rest = () => void bull.worker.pause(true).catch(() => undefined);
  if (options.drain.aborted) rest();
  else options.drain.addEventListener("abort", rest, { once: true });
  return {
    async close() {
      options.drain.removeEventListener("abort", rest);
      await bull.close();
    },
  };
}
