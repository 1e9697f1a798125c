import type { Log } from "../core/log.ts";
import type { RunWorkerLog } from "./jobs.ts";

/** What a worker does with runs, as lines of the log. */
export function createRunLog(log: Log): RunWorkerLog {
  return {
    executed: (runId, execution) =>
      execution === "damaged"
        ? log.ofRun(runId).error({}, "The run's record in Redis cannot be read; nobody goes on with it, and its target stays locked.")
        : log.ofRun(runId).debug({ execution }, "A look at the run ended."),
    failed: (runId, error) => log.ofRun(runId).error({ error }, "A look at the run met a defect; it will be looked at again."),
    queueError: (error) => log.warn({ error }, "The queue reports an error."),
  };
}
