import type { PrometheusReader } from "../../src/core/prometheus.ts";

/** A Prometheus in which no series answers any query. */
export const quietPrometheus: Pick<PrometheusReader, "query"> = {
  query: async () => ({ kind: "samples", samples: [], warnings: [] }),
};
