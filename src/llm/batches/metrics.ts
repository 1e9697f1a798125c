import type { Batch } from "../../../packages/sdk/src/wire/batches.ts";
import { gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import type { BudgetLedger } from "../budgets/budget-ledger.ts";
import { budgetsByQueue } from "../budgets/budgets-by-queue.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";
import type { BatchStore } from "./batch.ts";

/** The metrics of batches. */
export type BatchMetrics = ReturnType<typeof declareBatchMetrics>;

/** Declares the metrics of batches in `registry`. */
export function declareBatchMetrics(registry: MetricRegistry) {
  return {
    queueConcurrencyLimit: gauge(registry, {
      name: "llm_queue_concurrency_limit",
      help: "Tickets that may run at once; absent without a limit.",
      labels: ["queue"],
    }),
  };
}

/** Shows at every scrape how many tickets of a queue may run at once: the smaller of what its budgets permit and what its open batches permit. */
export function observeBatches(
  metrics: Observing & BatchMetrics & WorkloadLabels,
  { batches, budgets }: { readonly batches: Pick<BatchStore, "active" | "get">; readonly budgets: Pick<BudgetLedger, "summaries"> },
): void {
  metrics.observe([metrics.queueConcurrencyLimit], async () => {
    const queues = budgetsByQueue(await budgets.summaries());
    const running = await Promise.all((await batches.active()).map(async (id) => batches.get(id)));
    metrics.queueConcurrencyLimit.reset();
    for (const [queue, drawing] of queues) {
      const ofBudgets = sumOf(drawing.map(({ controls }) => controls.limits.concurrency));
      const ofBatches = sumOf(openOn(queue, running).map(({ concurrencyNow }) => concurrencyNow));
      const limits = [ofBudgets, ofBatches].filter((limit) => limit !== null);
      if (limits.length > 0) metrics.queueConcurrencyLimit.set({ queue: metrics.label.queue(queue) }, Math.min(...limits));
    }
  });
}

function openOn(queue: string, batches: readonly (Batch | undefined)[]): readonly Batch[] {
  return batches.flatMap((batch) => (batch?.queue === queue && batch.state === "open" ? [batch] : []));
}

/** Null when there is nothing to add up, or one of them has no limit. */
function sumOf(limits: readonly (number | null)[]): number | null {
  if (limits.length === 0) return null;
  return limits.reduce<number | null>((sum, limit) => (sum === null || limit === null ? null : sum + limit), 0);
}
