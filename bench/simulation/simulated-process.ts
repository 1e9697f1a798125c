import { createAnswering } from "../../src/approvals/answer-question.ts";
import type { ApprovalService } from "../../src/approvals/approval-service.ts";
import type { QuestionStore } from "../../src/approvals/question-store.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { Log } from "../../src/core/log.ts";
import { createConcurrencyLimiter } from "../../src/runs/concurrency-limiter.ts";
import type { EngineDeps } from "../../src/runs/engine/engine-deps.ts";
import { createExecutor } from "../../src/runs/engine/execute-run.ts";
import type { Intervals } from "../../src/runs/engine/move.ts";
import { createRunInProcess, type RunInProcess } from "../../src/runs/run-in-process.ts";
import { startSweep } from "../../src/runs/sweep.ts";
import type { TimedProcess } from "./process-clock.ts";

/** A worker's process: the engine and the sweep as they ship. */
export interface SimulatedProcess extends TimedProcess {
  readonly id: number;
  /** Name of the worker; a process that is started again has the one of its predecessor. */
  readonly worker: string;
  /** Executes a run, as a wake-up does. */
  readonly run: RunInProcess;
  /** Answers a question, as the routes do. */
  readonly answer: ApprovalService["answer"];
  /** Aborted when the process is asked to end. */
  readonly drain: AbortController;
}

/** How a process begins. */
export interface ProcessStart {
  readonly process: TimedProcess & { readonly id: number; readonly worker: string };
  readonly clock: Clock;
  readonly engine: EngineDeps;
  readonly intervals: Intervals;
  readonly questionId: () => string;
  readonly questions: QuestionStore;
  readonly due: (limit: number) => Promise<readonly string[]>;
  readonly isFit: () => boolean;
  /** An error that is no broken connection. */
  readonly defect: (error: unknown) => void;
}

const runsAtOnce = 4;
/** Half of all calls would be those of the sweep at one a second. */
const sweepMs = 2000;

/** Starts the sweep of a process. */
export function startProcess({
  process,
  clock,
  engine,
  intervals,
  questionId,
  questions,
  due,
  isFit,
  defect,
}: ProcessStart): SimulatedProcess {
  const drain = new AbortController();
  const log = logOf(defect);
  const limiter = createConcurrencyLimiter(runsAtOnce);
  const executor = createExecutor(engine, { clock, questionId, intervals, cooldownOf: () => [] });
  const run = createRunInProcess(executor, { limiter, drain: drain.signal, log, store: { isFit } });
  startSweep(run, { intervalMs: sweepMs, clock, log, signal: drain.signal, runs: { due }, limiter });
  const answer = createAnswering({
    store: questions,
    wakeQueue: { enqueue: (runId) => void run(runId) },
    clock,
    tryLink: async () => ({ right: false, remainingTries: 0 }),
  });
  return Object.assign(process, { run, answer, drain });
}

function logOf(defect: (error: unknown) => void): Log {
  const report = ({ error }: { readonly error?: unknown }): void => {
    if (error !== undefined) defect(error);
  };
  const log: Log = { debug: () => undefined, info: () => undefined, warn: report, error: report, ofRun: () => log };
  return log;
}
