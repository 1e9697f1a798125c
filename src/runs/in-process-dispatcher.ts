import type { WakeQueue } from "../core/wake-queue.ts";
import type { ConcurrencyLimiter } from "./concurrency-limiter.ts";
import type { RunInProcess } from "./run-in-process.ts";

/** Runs that wait in this process at most; what comes on top goes to the queue, where other workers find it. */
const maxWaiting = 10_000;

/**
 * Where webhook and worker are one process: a run is executed at once while the limiter has room, and waits in memory otherwise, in the order in which the
 * runs came. It saves a wake-up its way through BullMQ and back. A run that waits is not claimed, so it is due for every worker's sweep, which guarantees
 * this wake-up as it guarantees every other.
 */
export function createInProcessDispatcher(
  run: RunInProcess,
  { queue, limiter, drain }: { readonly queue: WakeQueue; readonly limiter: ConcurrencyLimiter; readonly drain: AbortSignal },
): WakeQueue {
  const waiting = new Set<string>();
  limiter.onFree(() => {
    const [next] = waiting;
    if (next === undefined || drain.aborted) return;
    waiting.delete(next);
    void run(next);
  });
  return {
    enqueue(runId) {
      if (drain.aborted || waiting.size >= maxWaiting) queue.enqueue(runId);
      else if (limiter.free() <= 0 || waiting.size > 0) waiting.add(runId);
      else void run(runId);
    },
  };
}
