import type { PrometheusReader } from "../core/prometheus.ts";
import { createPrometheusClient } from "../integrations/prometheus/create-prometheus-client.ts";
import { withFreshSamples } from "../integrations/prometheus/with-fresh-samples.ts";
import type { Runtime } from "./runtime.ts";

/** Prometheus; where none is configured, a reader to which it is unavailable. */
export function openPrometheus({ config, clock, closers }: Pick<Runtime, "config" | "clock" | "closers">): PrometheusReader {
  if (config.prometheus === undefined) return { query: async () => ({ kind: "unavailable", reason: "PROMETHEUS_URL is not set" }) };
  const client = createPrometheusClient({ ...config.prometheus, clock });
  closers.add("prometheus client", async () => client.close());
  return withFreshSamples(client, clock);
}
