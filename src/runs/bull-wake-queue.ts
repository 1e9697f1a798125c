import type { Redis } from "ioredis";
import { sha256 } from "../core/json.ts";
import type { WakeQueue } from "../core/wake-queue.ts";
import { openQueue } from "../platform/queue/open-queue.ts";

/** BullMQ's name of the doorbell; its keys begin with `{rb}:wake`. */
export const wakeQueueName = "wake";

/** Shares the hash tag of the ledger. */
export const wakePrefix = "{rb}";

/** What a wake-up carries: nothing that must be right. */
export interface WakeJob {
  readonly runId: string;
}

/** The doorbell over BullMQ. Losing a ring costs latency only: the sweeper finds what is due. */
export interface BullWakeQueue extends WakeQueue {
  /** Jobs by BullMQ's state, for metrics. */
  counts(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/** `failed` hears of rings that were lost. The job id is a hash: an id from outside could brick the queue. */
export function createBullWakeQueue(redis: Redis, failed: (error: Error) => void): BullWakeQueue {
  const queue = openQueue<WakeJob>(wakeQueueName, { redis, prefix: wakePrefix, failed });
  let sequence = 0;
  return {
    enqueue(runId) {
      sequence += 1;
      queue
        .add(
          "wake",
          { runId },
          { jobId: `w-${sha256(`${runId}:${process.pid}:${sequence}`).slice(0, 32)}`, removeOnComplete: true, removeOnFail: true },
        )
        .catch((error: unknown) => failed(error instanceof Error ? error : new Error(String(error))));
    },
    counts: async () => queue.getJobCounts(),
    close: async () => queue.close(),
  };
}
