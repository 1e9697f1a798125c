import type { Batch } from "../../packages/sdk/src/wire/batches.ts";
import type { BudgetState } from "../../packages/sdk/src/wire/budgets.ts";
import { ticketStates } from "../../packages/sdk/src/wire/tickets.ts";
import type { Clock } from "../core/clock.ts";
import { oneUsd } from "../core/money.ts";
import type { BatchStore } from "../llm/batches/batch.ts";
import type { BudgetControl } from "../llm/budgets/budget.ts";
import { stages } from "../llm/tickets/stage.ts";
import type { TicketRecovery, TicketStore } from "../llm/tickets/ticket.ts";
import { overflowLabel } from "../platform/telemetry/label-cap.ts";
import type { Metrics } from "../platform/telemetry/metrics.ts";

/**
 * Fills the gauges of budgets, gates and tickets at every scrape from where they are kept, so that every runbookd process tells the same.
 * `llm_queue_paused` is 1 when every budget that the queue draws on has its gate closed; `llm_queue_concurrency_limit` is the smaller of what the
 * queue's budgets permit and what its submitted batches permit now.
 */
export function observeWorkload(
  metrics: Metrics,
  {
    budgets,
    tickets,
    batches,
    clock,
    stalledAfterMs,
  }: {
    readonly budgets: Pick<BudgetControl, "list" | "read">;
    readonly tickets: Pick<TicketStore, "counts"> & Pick<TicketRecovery, "standing">;
    readonly batches: Pick<BatchStore, "active" | "get">;
    readonly clock: Clock;
    /** A ticket that told a stage and showed no sign of life for so long is stalled. */
    readonly stalledAfterMs: number;
  },
): void {
  const { label } = metrics;
  const gauges = [
    metrics.budgetLimit,
    metrics.budgetSpent,
    metrics.budgetCommitted,
    metrics.budgetAllowance,
    metrics.budgetRemaining,
    metrics.queuePaused,
    metrics.queueConcurrencyLimit,
  ];
  metrics.observe(gauges, async () => {
    const states = await Promise.all((await budgets.list()).map(async (id) => budgets.read(id)));
    const known = states.filter((state) => state !== undefined);
    const running = await Promise.all((await batches.active()).map(async (id) => batches.get(id)));
    for (const gauge of gauges) gauge.reset();
    for (const state of known) {
      const labels = { budget: label.budget(state.budget.id) };
      metrics.budgetLimit.set(labels, state.budget.limitMicroUsd / oneUsd);
      metrics.budgetSpent.set(labels, state.spentMicroUsd / oneUsd);
      metrics.budgetCommitted.set(labels, state.committedMicroUsd / oneUsd);
      metrics.budgetAllowance.set(labels, state.allowanceMicroUsdPerSecond / oneUsd);
      metrics.budgetRemaining.set(labels, state.periodRemainingSeconds);
    }
    for (const [queue, drawing] of byQueue(known)) {
      const labels = { queue: label.queue(queue) };
      metrics.queuePaused.set(labels, drawing.every(({ controls }) => controls.gate === "paused") ? 1 : 0);
      const ofBudgets = sumOf(drawing.map(({ controls }) => controls.limits.concurrency));
      const ofBatches = sumOf(openOn(queue, running).map(({ concurrencyNow }) => concurrencyNow));
      const limits = [ofBudgets, ofBatches].filter((limit) => limit !== null);
      if (limits.length > 0) metrics.queueConcurrencyLimit.set(labels, Math.min(...limits));
    }
  });

  metrics.observe([metrics.batchTickets], async () => {
    const counts = await tickets.counts();
    metrics.batchTickets.reset();
    for (const [queue, row] of Object.entries(counts)) {
      for (const state of ticketStates) metrics.batchTickets.inc({ queue: label.queue(queue), state }, row[state]);
    }
  });

  metrics.observe([metrics.ticketsStalled], async () => {
    const standing = await tickets.standing(clock.now() - stalledAfterMs, mostStalled);
    metrics.ticketsStalled.reset();
    for (const { queue, stage } of standing)
      metrics.ticketsStalled.inc({ queue: label.queue(queue), stage: stages.find((known) => known === stage) ?? overflowLabel });
  });
}

/** Tickets that are counted as stalled at most; more are as bad. */
const mostStalled = 1000;

function openOn(queue: string, batches: readonly (Batch | undefined)[]): readonly Batch[] {
  return batches.flatMap((batch) => (batch?.queue === queue && batch.state === "open" ? [batch] : []));
}

/** Null when there is nothing to add up, or one of them has no limit. */
function sumOf(limits: readonly (number | null)[]): number | null {
  if (limits.length === 0) return null;
  return limits.reduce<number | null>((sum, limit) => (sum === null || limit === null ? null : sum + limit), 0);
}

function byQueue(states: readonly BudgetState[]): Map<string, BudgetState[]> {
  const queues = new Map<string, BudgetState[]>();
  for (const state of states) for (const queue of state.queues) queues.set(queue, [...(queues.get(queue) ?? []), state]);
  return queues;
}
