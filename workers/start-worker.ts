import { analyzePrompts } from "../src/app/analyze-prompts.ts";
import { openWorker } from "../src/app/open-worker.ts";
import type { Runtime } from "../src/app/runtime.ts";
import { startMails } from "../src/app/start-mails.ts";
import { checkJournals } from "../src/app/watch-journals.ts";
import type { WakeQueue } from "../src/core/wake-queue.ts";
import { guardrailNames } from "../src/guardrails/evaluate-guardrails.ts";
import { withRedisMs } from "../src/platform/closers.ts";
import { createConcurrencyLimiter } from "../src/runs/concurrency-limiter.ts";
import { createInProcessDispatcher } from "../src/runs/in-process-dispatcher.ts";
import { startRunWorker } from "../src/runs/jobs.ts";
import { observeOpenRuns } from "../src/runs/metrics.ts";
import { createRunLog } from "../src/runs/run-log.ts";
import { startSweep } from "../src/runs/sweep.ts";

const sweepEveryMs = 1000;
/** A step in progress at SIGTERM may go on until this long before the end of the grace period. */
const settleBeforeMs = 10_000;

/** A running worker. */
export interface WorkerProcess {
  readonly name: string;
  /** For a server in the same process: wake-ups are answered here while there is room. */
  readonly near: (far: WakeQueue) => WakeQueue;
}

/** Starts the background work on runs: the queue's worker, the sweep, the daily check, the analysis of prompts, and mails. */
export async function startWorker(runtime: Runtime): Promise<WorkerProcess> {
  const { config, clock, random, log, metrics, closers } = runtime;
  const { name, redis, ledger, executor, outbox, analyst, board } = await openWorker(runtime);
  const reclaimed = await ledger.reclaimOwn();
  if (reclaimed.length > 0) log.info({ runs: reclaimed }, "An earlier process of this name left runs; they are taken back.");
  const hand = createConcurrencyLimiter(config.concurrency);
  const shared = { hand, drain: runtime.ending.signal, clock, log: createRunLog(log) };
  const worker = startRunWorker(executor, { ...shared, redis, concurrency: config.concurrency });
  closers.add("run worker", async () => worker.close(), withRedisMs);
  const sweep = startSweep(executor, { ...shared, ledger, everyMs: sweepEveryMs, random: () => random.fraction() });
  closers.add("sweep", async () => sweep.close(), withRedisMs);
  // Closed first: the steps in progress end, and their runs are given back.
  closers.add("runs in hand", async () => hand.settled(), config.graceMs - settleBeforeMs);
  metrics.initialiseRunbooks(runtime.library.list().map(({ id }) => id));
  metrics.initialiseGuardrails(guardrailNames);
  observeOpenRuns(metrics, { runbooks: () => runtime.library.list().map(({ id }) => id), ledger });
  checkJournals(runtime, redis, name);
  analyzePrompts(runtime, analyst, board);
  startMails(runtime, redis, outbox);
  log.info({ worker: name, concurrency: config.concurrency }, "The worker is ready.");
  return { name, near: (far) => createInProcessDispatcher(executor, { ...shared, far }) };
}
