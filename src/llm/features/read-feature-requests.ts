import type { PrometheusReader } from "../../core/prometheus.ts";
import type { FeatureRequests } from "./feature-ports.ts";

/** Processes report their requests so often, whatever divides the time: a shorter window would miss a report. */
const minWindowMs = 2000;

/** Reads from Prometheus what applications have reported of their requests. `timeFactor` divides the time, as in a demonstration whose scrapes are divided too. */
export function createFeatureRequests(prometheus: PrometheusReader, timeFactor = 1): FeatureRequests {
  return {
    async served(feature, withinMs, signal) {
      const window = `${Math.round(Math.max(minWindowMs, withinMs / timeFactor) / 1000)}s`;
      const query = `sum(increase(llm_feature_requests_total{feature="${feature}",outcome="served"}[${window}]))`;
      const answer = await prometheus.query(query, { signal });
      const value = answer.kind === "samples" ? answer.samples[0]?.value : undefined;
      // An increase is extrapolated, so that one request may be a part of one.
      return value === undefined || !Number.isFinite(value) ? undefined : Math.ceil(value);
    },
  };
}
