import type { FeatureRequests } from "../../../packages/sdk/src/wire/flags.ts";
import { counter, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";

/** The metrics of features. */
export type FeatureMetrics = ReturnType<typeof declareFeatureMetrics>;

/** Declares the metrics of features in `registry`. */
export function declareFeatureMetrics(registry: MetricRegistry) {
  return {
    featureRequests: counter(registry, {
      name: "llm_feature_requests_total",
      help: "Requests of a feature that the application reported: served while it was on, refused while it was off.",
      labels: ["feature", "outcome"],
    }),
  };
}

/** Adds one report. A feature that had no request yet gets series of value zero, so that its first request is a rise. */
export function countFeatureRequests(
  { featureRequests, label }: FeatureMetrics & WorkloadLabels,
  counts: readonly FeatureRequests[],
): void {
  for (const { feature, served, refused } of counts) {
    const labeled = label.feature(feature);
    featureRequests.inc({ feature: labeled, outcome: "served" }, served);
    featureRequests.inc({ feature: labeled, outcome: "refused" }, refused);
  }
}
