import { Queue } from "bullmq";
import type { Redis } from "ioredis";

/** Where a queue lives. */
export interface QueuePlace {
  readonly redis: Redis;
  /** Contains the hash tag of the keys that the queue lives beside. */
  readonly prefix: string;
  /** Is called with the queue's own errors, such as a lost connection. */
  readonly failed: (error: Error) => void;
}

/** Opens a BullMQ queue for adding jobs; a command waits for Redis instead of the constructor. */
export function openQueue<Job>(name: string, { redis, prefix, failed }: QueuePlace): Queue<Job> {
  const queue = new Queue<Job>(name, { connection: redis, prefix, skipWaitingForReady: true });
  queue.on("error", failed);
  return queue;
}
