import type { WakeQueue } from "../core/wake-queue.ts";
import type { ConcurrencyLimiter } from "./concurrency-limiter.ts";
import type { Executor } from "./engine/execute-run.ts";
import type { RunWorkerLog } from "./jobs.ts";

/**
 * Where webhook and worker are one process: a ring is answered at once while the hand has room, and goes to the queue otherwise.
 * It saves a wake-up its way through BullMQ and back; the sweeper guarantees this ring as it guarantees every other.
 */
export function createInProcessDispatcher(
  executor: Executor,
  options: { readonly far: WakeQueue; readonly hand: ConcurrencyLimiter; readonly drain: AbortSignal; readonly log: RunWorkerLog },
): WakeQueue {
  const { far, hand, drain, log } = options;
  const answer = async (runId: string): Promise<void> => {
    try {
      log.executed(runId, await hand.hold(async () => executor.execute(runId, drain)));
    } catch (error) {
      log.failed(runId, error);
    }
  };
  return {
    ring(runId) {
      if (drain.aborted || hand.free() <= 0) far.ring(runId);
      else void answer(runId);
    },
  };
}
