import type { Redis } from "ioredis";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { StoreGate } from "../core/store-gate.ts";
import type { WorkerHandle } from "../core/worker-handle.ts";
import { startQueueWorker } from "../platform/queue/queue-worker.ts";
import { type WakeJob, wakePrefix, wakeQueueName } from "./bull-wake-queue.ts";
import type { RunInProcess } from "./run-in-process.ts";

/** Executes a run for each job of the wake queue. A job that fails or is lost costs latency only: the sweep finds the run. */
export function startRunWorker(
  run: RunInProcess,
  options: {
    readonly redis: Redis;
    readonly concurrency: number;
    /** No further job is taken after it is aborted. */
    readonly drain: AbortSignal;
    readonly clock: Clock;
    readonly log: Pick<Log, "warn">;
    /** No job is taken while it is not fit. */
    readonly store?: StoreGate;
  },
): WorkerHandle {
  const { redis, concurrency, drain, clock, log, store } = options;
  const bull = startQueueWorker<WakeJob>(
    wakeQueueName,
    async (job) => {
      // What is queued from now on is found by another worker's sweep.
      if (!drain.aborted) await run(job.data.runId);
    },
    {
      redis,
      prefix: wakePrefix,
      concurrency,
      lockMs: 30_000,
      stalledCheckMs: 5000,
      clock,
      ...(store !== undefined && { store }),
      queueError: (error) => log.warn({ error }, "The wake queue reports an error."),
    },
  );
  const pause = () => bull.drain();
  if (drain.aborted) pause();
  else drain.addEventListener("abort", pause, { once: true });
  return {
    async close() {
      drain.removeEventListener("abort", pause);
      await bull.close();
    },
  };
}
