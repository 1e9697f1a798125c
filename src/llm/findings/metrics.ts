import { counter, gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";

/** Declares the metrics of findings in `registry`. */
export function declareFindingMetrics(registry: MetricRegistry) {
  return {
    securityFindings: gauge(registry, {
      name: "llm_security_findings_open",
      help: "Open security findings.",
      labels: ["severity_class", "feature", "source"],
    }),
    secretDetections: counter(registry, {
      name: "llm_secret_detections_total",
      help: "Secrets detected in prompts, outputs or repositories.",
      labels: ["source", "confidence"],
    }),
  };
}
