import { scheduleAttackReplays } from "../src/app/open-attacks.ts";
import { scheduleExploitation } from "../src/app/open-exploitation.ts";
import { scheduleModelLists } from "../src/app/open-models.ts";
import { scheduleCostComparison } from "../src/app/open-providers.ts";
import { openWorker } from "../src/app/open-worker.ts";
import { scheduleFindingSources } from "../src/app/register-github.ts";
import type { Runtime } from "../src/app/runtime.ts";
import { scheduleJournalCheck } from "../src/app/schedule-journal-check.ts";
import { schedulePromptAnalysis } from "../src/app/schedule-prompt-analysis.ts";
import { scheduleRolloutUpkeep } from "../src/app/schedule-rollout-upkeep.ts";
import { scheduleUnreportedTurns } from "../src/app/schedule-unreported-turns.ts";
import { startMails } from "../src/app/start-mails.ts";
import type { WakeQueue } from "../src/core/wake-queue.ts";
import { guardrailNames } from "../src/guardrails/evaluate-guardrails.ts";
import { withRedisMs } from "../src/platform/closers.ts";
import { startScheduledWork } from "../src/platform/queue/scheduled-work.ts";
import { wakePrefix } from "../src/runs/bull-wake-queue.ts";
import { createConcurrencyLimiter } from "../src/runs/concurrency-limiter.ts";
import { createInProcessDispatcher } from "../src/runs/in-process-dispatcher.ts";
import { startRunWorker } from "../src/runs/jobs.ts";
import { observeOpenRuns } from "../src/runs/metrics.ts";
import { createOpenRunCounts } from "../src/runs/redis-open-runs.ts";
import { createRunInProcess } from "../src/runs/run-in-process.ts";
import { startSweep } from "../src/runs/sweep.ts";

const sweepIntervalMs = 1000;
/** A step in progress at SIGTERM may go on until this long before the end of the grace period. */
const settleBeforeMs = 10_000;

/** A running worker. */
export interface WorkerProcess {
  readonly name: string;
  /** For a server in the same process: runs are executed here while there is room. */
  readonly dispatch: (queue: WakeQueue) => WakeQueue;
}

/** Starts the background work on runs: the queue's worker, the sweep, scheduled work, and mails. */
export async function startWorker(runtime: Runtime): Promise<WorkerProcess> {
  const { config, clock, random, log, metrics, closers, ending, store, claims } = runtime;
  // A name and the leases that go with it are not taken from a store that may be the wrong one.
  await store.untilFit(ending.signal);
  const { name, isPredecessorDead, redis, journal, executor, outbox, prometheus, analyst, cacheAnalysisStore } = await openWorker(runtime);
  const reclaimed = isPredecessorDead ? await journal.reclaimLeases() : [];
  if (reclaimed.length > 0) log.info({ runs: reclaimed }, "An earlier process of this name left runs; they are taken back.");
  const drain = ending.signal;
  const limiter = createConcurrencyLimiter(config.concurrency);
  const run = createRunInProcess(executor, { limiter, drain, log, store: claims });
  const worker = startRunWorker(run, { redis, concurrency: config.concurrency, drain, clock, log, store: claims });
  closers.add("run worker", async () => worker.close(), withRedisMs);
  const jitter = () => 0.9 + 0.2 * random.fraction();
  const sweep = startSweep(run, { runs: journal, limiter, intervalMs: sweepIntervalMs, jitter, clock, log, signal: drain });
  closers.add("sweep", async () => sweep.close(), withRedisMs);
  // Closed first: the steps in progress end, and their runs are given back.
  closers.add("runs in progress", async () => limiter.settled(), config.graceMs - settleBeforeMs);
  metrics.initializeRunbooks(runtime.library.list().map(({ id }) => id));
  metrics.initializeGuardrails(guardrailNames);
  createOpenRunCounts(redis)
    .repairIfWrong()
    .catch((error: unknown) => log.warn({ error }, "The open runs could not be counted; the hourly check counts them."));
  observeOpenRuns(metrics, { runbooks: () => runtime.library.list().map(({ id }) => id), journal });
  const tasks = [
    scheduleJournalCheck(runtime, redis, name),
    scheduleUnreportedTurns(runtime),
    schedulePromptAnalysis(runtime, analyst, cacheAnalysisStore),
    ...(await scheduleCostComparison(runtime, redis)),
    ...scheduleModelLists(runtime, redis),
    scheduleRolloutUpkeep(runtime, { redis, outbox, prometheus }),
    ...scheduleFindingSources(runtime, redis),
    scheduleAttackReplays(runtime, redis),
    ...scheduleExploitation(runtime, redis),
  ];
  const scheduled = startScheduledWork(tasks, { redis, prefix: wakePrefix, clock, log, store, signal: drain });
  closers.add("scheduled work", async () => scheduled.close(), withRedisMs);
  startMails(runtime, redis, outbox);
  log.info({ worker: name, concurrency: config.concurrency }, "The worker is ready.");
  return { name, dispatch: (queue) => createInProcessDispatcher(run, { queue, limiter, drain }) };
}
