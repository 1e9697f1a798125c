import { gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";

/** Declares the metrics of rollouts in `registry`. */
export function declareRolloutMetrics(registry: MetricRegistry) {
  return {
    rolloutDecision: gauge(registry, {
      name: "llm_rollout_decision",
      help: "1 for the rollout's current decision.",
      labels: ["rollout", "decision"],
    }),
    rolloutSampleRatio: gauge(registry, {
      name: "llm_rollout_srm_p_value",
      help: "How well the assignment of tickets fits the configured weights; tiny means it does not.",
      labels: ["rollout"],
    }),
  };
}
