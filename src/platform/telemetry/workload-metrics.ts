import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { createLabelCap } from "./label-cap.ts";

/** The metrics about the LLM workload. Ids of tickets, attempts and batches are never labels. */
export function declareWorkloadMetrics(registry: Registry) {
  const registers = [registry];

  const labelOverflow = new Counter({
    name: "llm_label_overflow_total",
    help: "Label values that were counted as `other` because their label's cap was reached.",
    labelNames: ["label"],
    registers,
  });
  const capped = (label: string, max: number) => {
    labelOverflow.inc({ label }, 0);
    return createLabelCap(max, () => labelOverflow.inc({ label }));
  };
  const budgetGauge = (name: string, help: string) => new Gauge({ name, help, labelNames: ["budget"], registers });

  return {
    /** Passes a value through its label's cap; every value of these labels goes through here. */
    label: {
      provider: capped("provider", 10),
      model: capped("model", 30),
      prompt: capped("prompt", 40),
      budget: capped("budget", 20),
      queue: capped("queue", 10),
      operation: capped("operation", 30),
      variant: capped("variant", 5),
    },
    labelOverflow,

    costUsd: new Counter({
      name: "llm_cost_usd_total",
      help: "Cost of priced usage.",
      labelNames: ["provider", "model", "prompt", "budget"],
      registers,
    }),
    inputTokens: new Counter({
      name: "llm_input_tokens_total",
      help: "Input tokens; token_cache partitions them.",
      labelNames: ["provider", "model", "prompt", "token_cache"],
      registers,
    }),
    outputTokens: new Counter({
      name: "llm_output_tokens_total",
      help: "Output tokens; token_phase partitions them.",
      labelNames: ["provider", "model", "prompt", "token_phase"],
      registers,
    }),
    requests: new Counter({
      name: "llm_requests_total",
      help: "Model requests by outcome.",
      labelNames: ["provider", "model", "prompt", "outcome"],
      registers,
    }),
    operationDuration: new Histogram({
      name: "gen_ai_client_operation_duration_seconds",
      help: "Duration of a model request.",
      labelNames: ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "error_type"],
      // The boundaries that OpenTelemetry's semantic conventions for generative AI prescribe.
      buckets: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
      registers,
    }),
    unpricedTokens: new Counter({
      name: "llm_unpriced_tokens_total",
      help: "Tokens of models without a price; they are not in the cost.",
      labelNames: ["provider", "model"],
      registers,
    }),
    usageAnomalies: new Counter({
      name: "llm_usage_anomaly_total",
      help: "Usage reports that contradict themselves.",
      labelNames: ["reason"],
      registers,
    }),
    cacheMisses: new Counter({
      name: "llm_cache_miss_total",
      help: "Requests that missed the provider's cache, by the reason that the provider or the counters tell.",
      labelNames: ["provider", "prompt", "reason"],
      registers,
    }),
    cacheMissedTokens: new Counter({
      name: "llm_cache_missed_tokens_total",
      help: "Input tokens that could have been read from the cache, as the provider estimates them.",
      labelNames: ["provider", "prompt", "reason"],
      registers,
    }),
    cacheAchievable: new Gauge({
      name: "llm_cache_achievable_ratio",
      help: "Cache read ratio that the prompt could reach with the best layout, from replay.",
      labelNames: ["provider", "model", "prompt"],
      registers,
    }),
    cacheSettled: new Gauge({
      name: "llm_cache_finding_settled",
      help: "1 while a person has said that the prompt's finding is acted on, accepted or none; absent otherwise.",
      labelNames: ["provider", "model", "prompt"],
      registers,
    }),
    cacheLost: new Gauge({
      name: "llm_cache_lost_usd_per_day",
      help: "What the prompt's layout costs a day beyond the best one that the replay found.",
      labelNames: ["provider", "model", "prompt"],
      registers,
    }),

    budgetLimit: budgetGauge("llm_budget_limit_usd", "Limit of the budget's period."),
    budgetSpent: budgetGauge("llm_budget_spent_usd", "Settled in the period so far."),
    budgetCommitted: budgetGauge("llm_budget_committed_usd", "Reserved by leases and open provider batches."),
    budgetAllowance: budgetGauge(
      "llm_budget_allowance_usd_per_second",
      "Spend rate that the plan allows now, from the hour-of-week profile.",
    ),
    budgetRemaining: budgetGauge("llm_budget_period_remaining_seconds", "Until the period ends."),

    batchTickets: new Gauge({
      name: "llm_batch_tickets",
      help: "Tickets of a queue by state.",
      labelNames: ["queue", "state"],
      registers,
    }),
    ticketsFinished: new Counter({
      name: "llm_tickets_finished_total",
      help: "Tickets that ended, by outcome.",
      labelNames: ["queue", "outcome", "variant"],
      registers,
    }),
    ticketCost: new Histogram({
      name: "llm_ticket_cost_usd",
      help: "Cost of one ticket, failed attempts included.",
      labelNames: ["queue", "variant", "outcome"],
      // From a classification to an agent that ran all night.
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 50, 100],
      registers,
    }),
    ticketDuration: new Histogram({
      name: "llm_ticket_duration_seconds",
      help: "From a ticket's first admission to its end.",
      labelNames: ["queue", "variant", "outcome"],
      // Seconds of one call up to a day of agent work.
      buckets: [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400],
      registers,
    }),
    ticketAttempts: new Histogram({
      name: "llm_ticket_attempts",
      help: "Attempts that a finished ticket took.",
      labelNames: ["queue", "variant", "outcome"],
      // 1 is health; the rest tells a stumble from a retry loop.
      buckets: [1, 2, 3, 5, 8, 13],
      registers,
    }),
    ticketsStalled: new Gauge({
      name: "llm_tickets_stalled",
      help: "Running tickets without a checkpoint heartbeat.",
      labelNames: ["queue", "stage"],
      registers,
    }),
    ticketsDead: new Counter({
      name: "llm_ticket_dead_letter_total",
      help: "Tickets that used up their attempts.",
      labelNames: ["queue", "failure_class"],
      registers,
    }),
    queuePaused: new Gauge({
      name: "llm_queue_paused",
      help: "1 while the admission gate of the queue's budget is closed.",
      labelNames: ["queue"],
      registers,
    }),
    queueConcurrencyLimit: new Gauge({
      name: "llm_queue_concurrency_limit",
      help: "Tickets that may run at once; absent without a limit.",
      labelNames: ["queue"],
      registers,
    }),
    providerBatchRequests: new Gauge({
      name: "llm_provider_batch_requests",
      help: "Requests of submissions to a provider's batch interface that are not settled, by state of the submission.",
      labelNames: ["provider", "state"],
      registers,
    }),
    providerBatchOldest: new Gauge({
      name: "llm_provider_batch_oldest_unreconciled_timestamp_seconds",
      help: "When the provider batch ended whose results wait longest; 0 when none waits.",
      labelNames: ["provider"],
      registers,
    }),

    providerDelta: new Gauge({
      name: "llm_provider_reconciliation_delta_ratio",
      help: "Our count of the cost of batches against the provider's, as a share of the provider's; absent when the provider shows none.",
      labelNames: ["provider"],
      registers,
    }),
    modelRetirement: new Gauge({
      name: "llm_model_retirement_timestamp_seconds",
      help: "When the provider retires the model.",
      labelNames: ["provider", "model"],
      registers,
    }),
    routeWeight: new Gauge({
      name: "llm_route_weight_ratio",
      help: "Share of new tickets that the route gives to the model.",
      labelNames: ["rule", "model", "variant"],
      registers,
    }),
    rolloutDecision: new Gauge({
      name: "llm_rollout_decision",
      help: "1 at the decision that holds for the rollout.",
      labelNames: ["rollout", "decision"],
      registers,
    }),
    rolloutSampleRatio: new Gauge({
      name: "llm_rollout_srm_p_value",
      help: "How well the assignment of tickets fits the configured weights; tiny means it does not.",
      labelNames: ["rollout"],
      registers,
    }),
    securityFindings: new Gauge({
      name: "llm_security_findings_open",
      help: "Open security findings.",
      labelNames: ["severity_class", "feature", "source"],
      registers,
    }),
    secretDetections: new Counter({
      name: "llm_secret_detections_total",
      help: "Secrets detected in prompts, outputs or repositories.",
      labelNames: ["source", "confidence"],
      registers,
    }),
  };
}
