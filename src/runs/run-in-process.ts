import type { Log } from "../core/log.ts";
import type { StoreGate } from "../core/store-gate.ts";
import type { ConcurrencyLimiter } from "./concurrency-limiter.ts";
import type { Executor } from "./engine/execute-run.ts";

/** How runs are executed in this process. */
export interface RunInProcessOptions {
  readonly limiter: ConcurrencyLimiter;
  /** Aborted when the process wants to stop: runs are released at their next step. */
  readonly drain: AbortSignal;
  readonly log: Pick<Log, "ofRun">;
  /** No run is claimed while it is not fit. */
  readonly store?: Pick<StoreGate, "isFit">;
}

/** Executes one run within the process's limit and logs how that ended; it never rejects. Whatever fails here is found by a sweep. */
export type RunInProcess = (runId: string) => Promise<void>;

/** The one way in which queue, sweep and dispatcher execute a run. */
export function createRunInProcess(executor: Executor, { limiter, drain, log, store }: RunInProcessOptions): RunInProcess {
  return async (runId) => {
    try {
      const execution = await limiter.run(async () =>
        store?.isFit() === false ? ("store_unfit" as const) : executor.execute(runId, drain),
      );
      if (execution === "damaged")
        log.ofRun(runId).error({}, "The run's record is unreadable; the run is marked as damaged, and its target stays locked.");
      else log.ofRun(runId).debug({ execution }, "The execution of the run ended.");
    } catch (error) {
      log.ofRun(runId).error({ error }, "The execution of the run met a defect; a sweep will try it again.");
    }
  };
}
