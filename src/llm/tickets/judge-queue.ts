/** What one moment shows of a queue of tickets. */
export interface QueueSnapshot {
  /** Tickets that have not ended and were released to the queue. */
  readonly open: number;
  /** Of these, tickets that were written and have not been put into the queue yet. */
  readonly unqueued: number;
  /** Jobs of the queue in every place where a job can be. */
  readonly jobs: number;
}

/** Whether jobs of a queue were lost. `complete`: every ticket can have a job. `lost`: at least `missing` tickets have none. */
export type QueueVerdict = { readonly kind: "complete" } | { readonly kind: "lost"; readonly missing: number };

/**
 * Compares what is open with what has a job. Both change in one step each: a ticket is open before it has a job, and has ended before its job is gone, so
 * fewer jobs than tickets are a loss. More jobs are not: the job of a cancelled ticket goes when a worker takes it.
 */
export function judgeQueue({ open, unqueued, jobs }: QueueSnapshot): QueueVerdict {
  const missing = open - unqueued - jobs;
  return missing > 0 ? { kind: "lost", missing } : { kind: "complete" };
}
