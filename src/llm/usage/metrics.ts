import { counter, histogram, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import { createLabelCap } from "../../platform/telemetry/label-cap.ts";

/** The metrics of usage, and the caps of the workload's labels. */
export type UsageMetrics = ReturnType<typeof declareUsageMetrics>;

/** What the metrics of other slices need: every value of these labels goes through its cap. */
export type WorkloadLabels = Pick<UsageMetrics, "label">;

/** Declares the metrics of usage in `registry`. Ids of tickets, attempts and batches are never labels. */
export function declareUsageMetrics(registry: MetricRegistry) {
  const labelOverflow = counter(registry, {
    name: "llm_label_overflow_total",
    help: "Label values that were counted as `other` because their label's cap was reached.",
    labels: ["label"],
  });
  const capped = (label: string, max: number) => {
    labelOverflow.inc({ label }, 0);
    return createLabelCap(max, () => labelOverflow.inc({ label }));
  };
  return {
    /** Passes a value through its label's cap; every value of these labels goes through here. */
    label: {
      provider: capped("provider", 10),
      model: capped("model", 30),
      prompt: capped("prompt", 40),
      queue: capped("queue", 10),
      operation: capped("operation", 30),
      variant: capped("variant", 5),
      flag: capped("flag", 50),
      flagVariant: capped("flag_variant", 20),
      feature: capped("feature", 40),
    },
    labelOverflow,
    costUsd: counter(registry, {
      name: "llm_cost_usd_total",
      help: "Cost of usage, estimates of unknown costs included; a report that completes an earlier one adds the difference.",
      labels: ["provider", "model", "prompt", "budget"],
    }),
    estimatedCostUsd: counter(registry, {
      name: "llm_estimated_cost_usd_total",
      help: "The part of the cost that stood for unknown costs when it was charged, by where the amount came from.",
      labels: ["provider", "budget", "source"],
    }),
    usageDuplicates: counter(registry, {
      name: "llm_usage_duplicate_total",
      help: "Usage reports that were counted before, or that completed an earlier one.",
      labels: ["result"],
    }),
    usageConflicts: counter(registry, {
      name: "llm_usage_conflict_total",
      help: "Usage reports that contradict an earlier one of their provider, budget and id; the higher cost stands.",
      labels: ["provider", "budget", "reason"],
    }),
    usageUnreadable: counter(registry, {
      name: "llm_usage_unreadable_total",
      help: "Usage that could not be read or had no report, by the shape that came nearest.",
      labels: ["provider", "shape", "reason"],
    }),
    inputTokens: counter(registry, {
      name: "llm_input_tokens_total",
      help: "Input tokens; token_cache partitions them.",
      labels: ["provider", "model", "prompt", "token_cache"],
    }),
    outputTokens: counter(registry, {
      name: "llm_output_tokens_total",
      help: "Output tokens; token_phase partitions them.",
      labels: ["provider", "model", "prompt", "token_phase"],
    }),
    requests: counter(registry, {
      name: "llm_requests_total",
      help: "Model requests by outcome.",
      labels: ["provider", "model", "prompt", "outcome"],
    }),
    operationDuration: histogram(registry, {
      name: "gen_ai_client_operation_duration_seconds",
      help: "Duration of a model request.",
      labels: ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "error_type"],
      // The boundaries that OpenTelemetry's semantic conventions for generative AI prescribe.
      buckets: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
    }),
    unpricedTokens: counter(registry, {
      name: "llm_unpriced_tokens_total",
      help: "Tokens without a price; their cost is estimated.",
      labels: ["provider", "model"],
    }),
    usageAnomalies: counter(registry, {
      name: "llm_usage_anomaly_total",
      help: "Usage reports that contradict themselves.",
      labels: ["reason"],
    }),
    usageRefused: counter(registry, {
      name: "llm_usage_refused_total",
      help: "Usage reports that were not counted, because they do not fit the schema, are too old or name no budget that is defined.",
      labels: ["reason"],
    }),
    cacheMisses: counter(registry, {
      name: "llm_cache_miss_total",
      help: "Requests that missed the provider's cache, by the reason that the provider or the counters tell.",
      labels: ["provider", "prompt", "reason"],
    }),
    cacheMissedTokens: counter(registry, {
      name: "llm_cache_missed_tokens_total",
      help: "Input tokens that could have been read from the cache, as the provider estimates them.",
      labels: ["provider", "prompt", "reason"],
    }),
  };
}
