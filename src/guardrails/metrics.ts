import { counter, type MetricRegistry } from "../platform/telemetry/declare-metric.ts";

/** Declares the metrics of guardrails in `registry`. */
export function declareGuardrailMetrics(registry: MetricRegistry) {
  const refusals = counter(registry, {
    name: "runbookd_refusals_total",
    help: "Steps and runs that a guardrail refused.",
    labels: ["guardrail"],
  });
  return {
    refusals,
    /** Creates the series of these guardrails at zero. */
    initializeGuardrails(names: readonly string[]) {
      for (const guardrail of names) refusals.inc({ guardrail }, 0);
    },
  };
}
