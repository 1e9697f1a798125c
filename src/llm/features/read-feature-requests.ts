import type { PrometheusReader } from "../../core/prometheus.ts";
import type { FeatureRequests } from "./feature-ports.ts";

/** Reads from Prometheus what applications have reported of their requests. */
export function createFeatureRequests(prometheus: PrometheusReader): FeatureRequests {
  return {
    async served(feature, withinMs, signal) {
      const window = `${Math.round(withinMs / 1000)}s`;
      const query = `sum(increase(llm_feature_requests_total{feature="${feature}",outcome="served"}[${window}]))`;
      const answer = await prometheus.query(query, { signal });
      const value = answer.kind === "samples" ? answer.samples[0]?.value : undefined;
      // An increase is extrapolated, so that one request may be a part of one.
      return value === undefined || !Number.isFinite(value) ? undefined : Math.ceil(value);
    },
  };
}
