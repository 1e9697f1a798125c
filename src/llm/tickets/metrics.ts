import { ticketStates } from "../../../packages/sdk/src/wire/tickets.ts";
import type { Clock } from "../../core/clock.ts";
import { counter, gauge, histogram, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import { overflowLabel } from "../../platform/telemetry/label-cap.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";
import type { TicketRecovery, TicketStore } from "./ticket.ts";
import { ticketPhases } from "./ticket-phase.ts";

/** The metrics of tickets. */
export type TicketMetrics = ReturnType<typeof declareTicketMetrics>;

/** Declares the metrics of tickets in `registry`. */
export function declareTicketMetrics(registry: MetricRegistry) {
  const labels = ["queue", "variant", "outcome"] as const;
  return {
    batchTickets: gauge(registry, { name: "llm_batch_tickets", help: "Tickets of a queue by state.", labels: ["queue", "state"] }),
    ticketsFinished: counter(registry, {
      name: "llm_tickets_finished_total",
      help: "Tickets that ended, by outcome.",
      labels: ["queue", "outcome", "variant"],
    }),
    ticketCost: histogram(registry, {
      name: "llm_ticket_cost_usd",
      help: "Cost of one ticket, failed attempts included.",
      labels,
      // From a classification to an agent that ran all night.
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 50, 100],
    }),
    ticketDuration: histogram(registry, {
      name: "llm_ticket_duration_seconds",
      help: "From a ticket's first admission to its end.",
      labels,
      // Seconds of one call up to a day of agent work.
      buckets: [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400],
    }),
    ticketAttempts: histogram(registry, {
      name: "llm_ticket_attempts",
      help: "Attempts that a finished ticket took.",
      labels,
      // 1 is health; the rest tells a stumble from a retry loop.
      buckets: [1, 2, 3, 5, 8, 13],
    }),
    ticketsStalled: gauge(registry, {
      name: "llm_tickets_stalled",
      help: "Running tickets without a checkpoint heartbeat.",
      labels: ["queue", "stage"],
    }),
    ticketsDead: counter(registry, {
      name: "llm_ticket_dead_letter_total",
      help: "Tickets that used up their attempts.",
      labels: ["queue", "failure_class"],
    }),
  };
}

/** Tickets that are counted as stalled at most; more are as bad. */
const maxStalled = 1000;

/** Shows at every scrape the tickets by state, and those that stalled: they named a stage and gave no sign of life for `stalledAfterMs`. */
export function observeTickets(
  metrics: Observing & TicketMetrics & WorkloadLabels,
  {
    tickets,
    clock,
    stalledAfterMs,
  }: {
    readonly tickets: Pick<TicketStore, "counts"> & Pick<TicketRecovery, "standing">;
    readonly clock: Pick<Clock, "now">;
    readonly stalledAfterMs: number;
  },
): void {
  const { label, batchTickets, ticketsStalled } = metrics;
  metrics.observe([batchTickets], async () => {
    const counts = await tickets.counts();
    batchTickets.reset();
    for (const [queue, row] of Object.entries(counts))
      for (const state of ticketStates) batchTickets.inc({ queue: label.queue(queue), state }, row[state]);
  });
  metrics.observe([ticketsStalled], async () => {
    const standing = await tickets.standing(clock.now() - stalledAfterMs, maxStalled);
    ticketsStalled.reset();
    for (const { queue, stage } of standing)
      ticketsStalled.inc({ queue: label.queue(queue), stage: ticketPhases.find((phase) => phase === stage) ?? overflowLabel });
  });
}
