import { z } from "zod";

const alertsSchema = z.object({
  data: z.object({ alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), state: z.string() })) }),
});
const querySchema = z.object({ data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }) });

/** What the demo asks Prometheus itself. */
export interface PrometheusApi {
  isFiring(alertname: string, labels: Readonly<Record<string, string>>): Promise<boolean>;
  /** The value of the first series, or undefined when there is none or it is no number. */
  value(promql: string): Promise<number | undefined>;
}

/** Rejects when Prometheus does not answer. */
export function createPrometheusApi(url: string): PrometheusApi {
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(`Prometheus answered ${response.status} to ${path}`);
    return response.json();
  };
  return {
    async isFiring(alertname, labels) {
      const { alerts } = alertsSchema.parse(await get("/api/v1/alerts")).data;
      return alerts.some(
        (alert) =>
          alert.state === "firing" &&
          alert.labels["alertname"] === alertname &&
          Object.entries(labels).every(([name, value]) => alert.labels[name] === value),
      );
    },
    async value(promql) {
      const { result } = querySchema.parse(await get(`/api/v1/query?query=${encodeURIComponent(promql)}`)).data;
      const value = Number(result[0]?.value[1] ?? Number.NaN);
      return Number.isNaN(value) ? undefined : value;
    },
  };
}
