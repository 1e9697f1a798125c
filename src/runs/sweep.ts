import { type Periodic, runPeriodically } from "../core/run-periodically.ts";
import type { WorkerHandle } from "../core/worker-handle.ts";
import type { ConcurrencyLimiter } from "./concurrency-limiter.ts";
import type { RunInProcess } from "./run-in-process.ts";

/** Where due runs are found. */
export interface DueRuns {
  /** Runs that are due now, oldest first. */
  due(limit: number): Promise<readonly string[]>;
}

/** Executes every run that is due, as many as the limiter has room for. What makes a dead queue cost latency only. */
export function startSweep(
  run: RunInProcess,
  options: Omit<Periodic, "name"> & { readonly runs: DueRuns; readonly limiter: ConcurrencyLimiter },
): WorkerHandle {
  const { runs, limiter } = options;
  const executing = new Map<string, Promise<void>>();
  const sweeps = runPeriodically({ ...options, name: "sweep" }, async () => {
    const free = limiter.free();
    if (free <= 0) return;
    for (const runId of await runs.due(free)) {
      if (executing.has(runId)) continue;
      executing.set(
        runId,
        run(runId).finally(() => executing.delete(runId)),
      );
    }
  });
  return {
    async close() {
      await sweeps.close();
      await Promise.all(executing.values());
    },
  };
}
