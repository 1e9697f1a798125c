import { type UsageEvent, usageAnomalies } from "../../packages/sdk/src/wire/usage.ts";
import { oneUsd } from "../core/money.ts";
import type { FinishedTicket } from "../llm/budgets/ledger.ts";
import { unpricedTokens } from "../llm/budgets/spend-row.ts";
import type { WorkloadObserver } from "../llm/budgets/workload-observer.ts";
import { failureClasses } from "../llm/tickets/failure-class.ts";
import { writtenTokens } from "../llm/usage/token-partition.ts";
import { overflowLabel } from "../platform/telemetry/label-cap.ts";
import type { Metrics } from "../platform/telemetry/metrics.ts";

/** Series of one metric beyond which the prompt is not told apart any more. */
const mostSeries = 5000;

/** Why a ticket died, as a label: the gate's words and our own; a sentence of the application is `other`. */
const deathClasses = new Set<string>(["attempts_exhausted", "ticket_cancelled", ...failureClasses]);

/** Turns counted usage and ended tickets into counters. Every label goes through its cap; ids of tickets, batches and requests are never labels. */
export function createWorkloadRecorder(metrics: Metrics): WorkloadObserver {
  const { label } = metrics;
  const combinations = new Set<string>();
  for (const reason of usageAnomalies) metrics.usageAnomalies.inc({ reason }, 0);

  /** The prompt, as long as its combination with provider, model and budget is known or there is room. */
  const promptOf = (provider: string, model: string, prompt: string, budget: string): string => {
    const combination = [provider, model, prompt, budget].join("\n");
    if (combinations.has(combination)) return prompt;
    if (combinations.size >= mostSeries) {
      metrics.labelOverflow.inc({ label: "prompt" });
      return overflowLabel;
    }
    combinations.add(combination);
    return prompt;
  };

  const countUsage = (event: UsageEvent): void => {
    const provider = label.provider(event.provider);
    const model = label.model(event.model);
    const budget = label.budget(event.budget);
    const prompt = promptOf(provider, model, label.prompt(event.prompt), budget);
    const { tokens } = event;

    metrics.requests.inc({ provider, model, prompt, outcome: event.outcome });
    if (event.anomaly !== undefined) metrics.usageAnomalies.inc({ reason: event.anomaly });
    if (event.unpriced !== undefined) metrics.unpricedTokens.inc({ provider, model }, unpricedTokens(event));
    if (event.anomaly === undefined && event.unpriced === undefined) {
      metrics.costUsd.inc({ provider, model, prompt, budget }, event.costMicroUsd / oneUsd);
    }
    if (event.anomaly === undefined) {
      metrics.inputTokens.inc({ provider, model, prompt, token_cache: "none" }, tokens.uncached);
      metrics.inputTokens.inc({ provider, model, prompt, token_cache: "read" }, tokens.read);
      metrics.inputTokens.inc({ provider, model, prompt, token_cache: "write" }, writtenTokens(tokens));
      metrics.outputTokens.inc({ provider, model, prompt, token_phase: "response" }, tokens.output - tokens.reasoning);
      metrics.outputTokens.inc({ provider, model, prompt, token_phase: "reasoning" }, tokens.reasoning);
    }
    if (event.cacheMiss !== undefined) {
      const { reason, missedTokens = 0 } = event.cacheMiss;
      metrics.cacheMisses.inc({ provider, prompt, reason });
      metrics.cacheMissedTokens.inc({ provider, prompt, reason }, missedTokens);
    }
    if (event.latencyMs !== undefined) {
      const labels = {
        gen_ai_operation_name: label.operation(event.operation),
        gen_ai_provider_name: provider,
        gen_ai_request_model: label.model(event.requestModel ?? event.model),
        error_type: event.outcome === "ok" ? "" : event.outcome,
      };
      metrics.operationDuration.observe(labels, event.latencyMs / 1000);
    }
  };

  return {
    usage(events) {
      for (const event of events) countUsage(event);
    },
    finished(ticket: FinishedTicket) {
      const labels = { queue: label.queue(ticket.queue), variant: label.variant(ticket.variant), outcome: ticket.outcome };
      metrics.ticketsFinished.inc(labels);
      metrics.ticketCost.observe(labels, ticket.costMicroUsd / oneUsd);
      metrics.ticketDuration.observe(labels, ticket.durationMs / 1000);
      metrics.ticketAttempts.observe(labels, ticket.attempts);
      if (ticket.outcome === "dead") {
        const failureClass = ticket.failureClass ?? overflowLabel;
        metrics.ticketsDead.inc({ queue: labels.queue, failure_class: deathClasses.has(failureClass) ? failureClass : overflowLabel });
      }
    },
  };
}
