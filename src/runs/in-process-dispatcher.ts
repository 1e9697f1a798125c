import type { WakeQueue } from "../core/wake-queue.ts";
import type { ConcurrencyLimiter } from "./concurrency-limiter.ts";
import type { RunInProcess } from "./run-in-process.ts";

/**
 * Where webhook and worker are one process: a run is executed at once while the limiter has room, and goes to the queue otherwise.
 * It saves a wake-up its way through BullMQ and back; the sweep guarantees this wake-up as it guarantees every other.
 */
export function createInProcessDispatcher(
  run: RunInProcess,
  { queue, limiter, drain }: { readonly queue: WakeQueue; readonly limiter: ConcurrencyLimiter; readonly drain: AbortSignal },
): WakeQueue {
  return {
    enqueue(runId) {
      if (drain.aborted || limiter.free() <= 0) queue.enqueue(runId);
      else void run(runId);
    },
  };
}
