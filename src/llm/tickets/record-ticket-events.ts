import type { EventSink } from "../../core/event.ts";
import { oneUsd } from "../../core/money.ts";
import { overflowLabel } from "../../platform/telemetry/label-cap.ts";
import type { TicketEnded } from "../budgets/workload-event.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";
import { failureClasses } from "./failure-class.ts";
import type { TicketMetrics } from "./metrics.ts";

/** Why a ticket died, as a label: the gate's words and our own; a sentence of the application is `other`. */
const deathClasses = new Set<string>(["attempts_exhausted", "ticket_cancelled", ...failureClasses]);

/** Turns ended tickets into counters and histograms. */
export function createTicketEventSink(metrics: TicketMetrics & WorkloadLabels): EventSink<TicketEnded> {
  const { label } = metrics;
  return ({ ticket }) => {
    const labels = { queue: label.queue(ticket.queue), variant: label.variant(ticket.variant), outcome: ticket.outcome };
    metrics.ticketsFinished.inc(labels);
    metrics.ticketCost.observe(labels, ticket.costMicroUsd / oneUsd);
    metrics.ticketDuration.observe(labels, ticket.durationMs / 1000);
    metrics.ticketAttempts.observe(labels, ticket.attempts);
    if (ticket.outcome !== "dead") return;
    const failureClass = ticket.failureClass ?? overflowLabel;
    metrics.ticketsDead.inc({ queue: labels.queue, failure_class: deathClasses.has(failureClass) ? failureClass : overflowLabel });
  };
}
