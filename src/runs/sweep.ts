import type { Clock } from "../core/clock.ts";
import type { WorkerHandle } from "../core/worker-handle.ts";
import type { ConcurrencyLimiter } from "./concurrency-limiter.ts";
import type { Executor } from "./engine/execute-run.ts";
import type { RunWorkerLog } from "./jobs.ts";

/** Where due runs are found. */
export interface DueRuns {
  /** Runs that somebody must look at now, oldest first. */
  due(limit: number): Promise<readonly string[]>;
}

/**
 * The guarantee: every `everyMs` (jittered by a fifth, so that workers do not march in step) it claims and executes what is due by itself.
 * A dead BullMQ only costs latency.
 */
export function startSweep(
  executor: Executor,
  options: {
    readonly ledger: DueRuns;
    readonly clock: Clock;
    readonly everyMs: number;
    readonly hand: ConcurrencyLimiter;
    readonly drain: AbortSignal;
    readonly random: () => number;
    readonly log: RunWorkerLog;
  },
): WorkerHandle {
  const { log } = options;
  const inHand = new Map<string, Promise<void>>();

  const execute = async (runId: string): Promise<void> => {
    try {
      log.executed(runId, await options.hand.hold(async () => executor.execute(runId, options.drain)));
    } catch (error) {
      log.failed(runId, error);
    }
  };

  const sweep = async (): Promise<void> => {
    const free = options.hand.free();
    if (free <= 0) return;
    for (const runId of await options.ledger.due(free)) {
      if (inHand.has(runId)) continue;
      inHand.set(
        runId,
        execute(runId).finally(() => inHand.delete(runId)),
      );
    }
  };

  const loop = async (): Promise<void> => {
    while (!options.drain.aborted) {
      await sweep().catch((error: unknown) => log.failed("sweep", error));
      await options.clock.sleep(options.everyMs * (0.9 + 0.2 * options.random()), options.drain).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    async close() {
      await running;
      await Promise.all(inHand.values());
    },
  };
}
