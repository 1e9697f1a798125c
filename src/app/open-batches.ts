import type { Redis } from "ioredis";
import type { BatchStore } from "../llm/batches/batch.ts";
import { type BatchControl, createBatchControl } from "../llm/batches/batch-control.ts";
import { startBatchKeeper } from "../llm/batches/jobs.ts";
import { createBatchStore } from "../llm/batches/redis-store.ts";
import { dividedTimes } from "../llm/budgets/ledger.ts";
import { createLocalGate } from "../llm/budgets/local-gate.ts";
import type { WorkloadObserver } from "../llm/budgets/workload-observer.ts";
import { withBatchChanges } from "../llm/changes/change-log.ts";
import { openProviders } from "./open-providers.ts";
import type { Runtime } from "./runtime.ts";

const lookEveryMs = 1000;

/** Batches, what may be done to them, and whoever looks after them in this process. */
export async function openBatches(
  runtime: Runtime,
  { redis, observer }: { readonly redis: Redis; readonly observer: WorkloadObserver },
): Promise<{ readonly batches: BatchStore; readonly control: BatchControl }> {
  const { ledger, tickets, clock, config, closers, log } = runtime;
  const batches = createBatchStore({ redis, clock });
  const control = withBatchChanges(createBatchControl({ batches, tickets, budgets: ledger, clock }), runtime.changeNotes);
  const gate = createLocalGate({ ledger, observer });
  const desk = await openProviders(runtime, { redis, batches, observer });
  const keeper = startBatchKeeper(
    { batches, control, tickets, gate, feeder: runtime.ticketQueue, desk, clock, minuteMs: dividedTimes(config.timeFactor).minuteMs },
    {
      everyMs: lookEveryMs,
      drain: runtime.ending.signal,
      failed: (error) => log.warn({ error }, "Batches could not be looked after; they will be."),
    },
  );
  closers.add("batch keeper", async () => keeper.close());
  return { batches, control };
}
