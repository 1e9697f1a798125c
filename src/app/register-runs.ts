import { auditedControl } from "../audit/audited.ts";
import { untilReady } from "../platform/redis/connection.ts";
import { withReports } from "../reports/with-reports.ts";
import { type BullWakeQueue, createBullWakeQueue } from "../runs/bull-wake-queue.ts";
import { createRunControl } from "../runs/create-run-control.ts";
import { createFeedRoutes } from "../runs/feed-routes.ts";
import { observeDamagedRuns, observeWakeQueue, observeWatchdog } from "../runs/metrics.ts";
import { createDamagedRuns } from "../runs/redis-damaged-runs.ts";
import { createFeed } from "../runs/redis-feed.ts";
import { createRunIndexes } from "../runs/redis-run-indexes.ts";
import { createRunNotices } from "../runs/redis-run-notices.ts";
import { createRunReader, readPinnedSource } from "../runs/redis-run-reader.ts";
import { createWatchdogRecord } from "../runs/redis-watchdog.ts";
import { createRunRoutes } from "../runs/routes.ts";
import { createRunDocumentRoutes } from "../runs/run-document-routes.ts";
import { actionCatalogue } from "./action-registry.ts";
import type { RunAcceptance } from "./register-alerts.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** The queue that wakes workers, closed at the end. */
export async function openWakeQueue(runtime: Runtime): Promise<BullWakeQueue> {
  const { clock, log, metrics, closers } = runtime;
  const redis = runtime.connect("request");
  // BullMQ asks for the server's version when it is built, and a connection of this kind does not queue.
  await untilReady(redis, clock);
  const queue = createBullWakeQueue(redis, (error) => log.warn({ error }, "The queue reports an error."));
  closers.add("wake queue", async () => queue.close());
  observeWakeQueue(metrics, queue);
  return queue;
}

/** Runs as people see and steer them. */
export function registerRuns(
  runtime: Runtime,
  { redis, audit, wakeQueue, trees }: ServerShared,
  { store, bytes }: RunAcceptance,
): Registration {
  const { config, clock, log, metrics, ids, library, ledger: budgets } = runtime;
  createRunIndexes(redis)
    .rebuildIfLost()
    .then(
      (count) => (count === 0 ? undefined : log.info({ runs: count }, "The indexes of runs were rebuilt.")),
      (error: unknown) => log.warn({ error }, "The indexes of runs could not be examined; the daily check repairs them."),
    );
  const reader = withReports(createRunReader(redis, clock), { budgets, catalogue: actionCatalogue, publicUrl: config.publicUrl });
  const damaged = createDamagedRuns(redis);
  const control = createRunControl({
    store,
    bytes,
    notices: createRunNotices(redis),
    damaged,
    wakeQueue,
    reader,
    library,
    ids,
    clock,
  });
  observeDamagedRuns(metrics, damaged);
  observeWatchdog(metrics, createWatchdogRecord(redis), clock);
  const documentRoutes = createRunDocumentRoutes((id) => readPinnedSource(redis, id), trees);
  const feed = createFeed({ waiting: runtime.connect("request"), redis, clock, ending: runtime.ending.signal });
  return {
    routes: [
      ...createRunRoutes({ reader, control: auditedControl(control, { audit, clock }) }),
      ...documentRoutes,
      ...createFeedRoutes(feed),
    ],
  };
}
