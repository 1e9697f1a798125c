import type { Redis } from "ioredis";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { runPeriodically } from "../../core/run-periodically.ts";
import type { StoreGate } from "../../core/store-gate.ts";
import type { WorkerHandle } from "../../core/worker-handle.ts";
import { openQueue } from "./open-queue.ts";
import { startQueueWorker } from "./queue-worker.ts";

/** Work that one of all processes does. A tick reads what is due, so that a tick too many changes nothing. */
export interface ScheduledTask {
  /** The id of its job scheduler. */
  readonly name: string;
  /** Milliseconds, whole. */
  readonly intervalMs: number;
  /** The signal is aborted when the process should end. */
  run(signal: AbortSignal): Promise<void>;
}

/** Where the schedules live, and when they end. */
export interface ScheduledWorkOptions {
  /** Fit for a BullMQ worker: commands wait for the connection. */
  readonly redis: Redis;
  /** Contains the hash tag of the keys. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Nothing is done while it is not fit. */
  readonly store?: StoreGate;
  /** No further tick begins after it is aborted. */
  readonly signal: AbortSignal;
  /** How often the schedules are written again, so that lost ones come back. A minute by default. */
  readonly upsertIntervalMs?: number;
}

/** BullMQ's name of the queue of ticks. */
export const scheduleQueueName = "schedule";

/**
 * A process that is killed within a tick loses its lock after `lockMs`; others look for lost locks every `stalledCheckMs` and need two looks.
 * So another process repeats the tick within 8 s.
 */
const lockMs = 4000;
const stalledCheckMs = 2000;
/** Seconds that an idle worker waits in one blocking command. */
const drainDelay = 10;

/**
 * Ticks every task in one of all processes, by BullMQ's job schedulers. They are written at the start and every minute, so that the schedules come back
 * when Redis has lost them. Nothing that must be right rests on a tick: it may come late, twice, or, when a process is killed, again.
 */
export function startScheduledWork(tasks: readonly ScheduledTask[], options: ScheduledWorkOptions): WorkerHandle {
  const { redis, prefix, clock, log, signal, store } = options;
  const taskByName = new Map(tasks.map((task) => [task.name, task]));
  const running = new Set<string>();
  const queueError = (error: Error) => log.warn({ error }, "The queue of scheduled work reports an error.");
  const queue = openQueue<object>(scheduleQueueName, { redis, prefix, failed: queueError });

  const runTask = async (task: ScheduledTask): Promise<void> => {
    // A tick that takes longer than its interval is not joined by the next one.
    if (running.has(task.name)) return;
    running.add(task.name);
    try {
      await task.run(signal);
    } catch (error) {
      if (!signal.aborted) log.warn({ work: task.name, error }, "Scheduled work failed; it is repeated at the next tick.");
    } finally {
      running.delete(task.name);
    }
  };
  const ticker = startQueueWorker<object>(
    scheduleQueueName,
    async ({ name }) => {
      const task = taskByName.get(name);
      if (task !== undefined && !signal.aborted && store?.isFit() !== false) await runTask(task);
      // Left behind by another version of the product; a process that knows the task writes its schedule again.
      if (task === undefined) await queue.removeJobScheduler(name);
    },
    {
      redis,
      prefix,
      concurrency: Math.max(1, tasks.length),
      lockMs,
      stalledCheckMs,
      drainDelay,
      clock,
      queueError,
      ...(store !== undefined && { store }),
    },
  );
  const schedules = runPeriodically({ name: "schedules", intervalMs: options.upsertIntervalMs ?? 60_000, clock, log, signal }, async () => {
    if (store?.isFit() === false) return;
    for (const { name, intervalMs } of tasks)
      await queue.upsertJobScheduler(name, { every: Math.max(1, Math.round(intervalMs)) }, { name });
  });
  const pause = () => ticker.drain();
  if (signal.aborted) pause();
  else signal.addEventListener("abort", pause, { once: true });
  return {
    async close() {
      signal.removeEventListener("abort", pause);
      await schedules.close();
      await ticker.close();
      await queue.close();
    },
  };
}
