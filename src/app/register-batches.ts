import type { Redis } from "ioredis";
import { auditedBatches } from "../audit/audited.ts";
import type { EventSink } from "../core/event.ts";
import { runPeriodically } from "../core/run-periodically.ts";
import type { BatchStore } from "../llm/batches/batch.ts";
import { type BatchControl, createBatchControl } from "../llm/batches/batch-control.ts";
import { createBatchReconciler } from "../llm/batches/batch-reconciler.ts";
import { observeBatches } from "../llm/batches/metrics.ts";
import { createBatchStore } from "../llm/batches/redis-store.ts";
import { createBatchRoutes } from "../llm/batches/routes.ts";
import { dividedTimes } from "../llm/budgets/budget-ledger.ts";
import { createLocalGate } from "../llm/budgets/local-gate.ts";
import type { WorkloadEvent } from "../llm/budgets/workload-event.ts";
import { withBatchChanges } from "../llm/changes/change-log.ts";
import { observeTickets } from "../llm/tickets/metrics.ts";
import { createTicketRoutes } from "../llm/tickets/routes.ts";
import { openProviders } from "./open-providers.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

const reconcileIntervalMs = 1000;

/** A ticket that is code work beats at least once a minute; see docs/tickets.md. */
const stalledAfterMs = 120_000;

/** Tickets and batches, those at providers among them, and what looks after batches in this process. */
export async function registerBatches(
  runtime: Runtime,
  { redis, audit, publish }: Pick<ServerShared, "redis" | "audit" | "publish">,
): Promise<Registration> {
  const { ledger, tickets, ticketQueue, changeRecorder, clock, config, metrics } = runtime;
  const batches = createBatchStore({ redis, clock });
  const control = withBatchChanges(createBatchControl({ batches, tickets, budgets: ledger, clock }), changeRecorder);
  await startReconcilers(runtime, { redis, batches, control, publish });
  observeTickets(metrics, { tickets, clock, stalledAfterMs: stalledAfterMs / config.timeFactor });
  observeBatches(metrics, { batches, budgets: ledger });
  const audited = auditedBatches(control, { audit, clock });
  return {
    routes: [
      ...createBatchRoutes({ ledger, batches, control: audited, tickets, wakeQueue: ticketQueue, clock }),
      ...createTicketRoutes({ tickets }),
    ],
  };
}

async function startReconcilers(
  runtime: Runtime,
  {
    redis,
    batches,
    control,
    publish,
  }: { readonly redis: Redis; readonly batches: BatchStore; readonly control: BatchControl; readonly publish: EventSink<WorkloadEvent> },
): Promise<void> {
  const { ledger, tickets, ticketQueue, clock, config, closers, log, store } = runtime;
  const gate = createLocalGate({ ledger, publish });
  const providerReconciler = await openProviders(runtime, { redis, batches, publish });
  const reconciler = createBatchReconciler({
    batches,
    control,
    tickets,
    gate,
    enqueuer: ticketQueue,
    providerReconciler: providerReconciler,
    clock,
    minuteMs: dividedTimes(config.timeFactor).minuteMs,
  });
  const work = runPeriodically({ name: "batches", intervalMs: reconcileIntervalMs, clock, log, signal: runtime.ending.signal }, async () =>
    store.isFit() ? reconciler.reconcile() : undefined,
  );
  closers.add("batches", async () => work.close());
}
