import { z } from "zod";

const alertsSchema = z.object({
  data: z.object({ alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), state: z.string() })) }),
});
const querySchema = z.object({ data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }) });

/** What the demo asks Prometheus itself. */
export interface PrometheusApi {
  isFiring(alertname: string, labels: Readonly<Record<string, string>>): Promise<boolean>;
  /** When Prometheus itself first recorded the alert with these labels as firing within the last five minutes, UTC milliseconds. */
  firingSince(alertname: string, labels: Readonly<Record<string, string>>): Promise<number | undefined>;
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
  const value = async (promql: string): Promise<number | undefined> => {
    const { result } = querySchema.parse(await get(`/api/v1/query?query=${encodeURIComponent(promql)}`)).data;
    const number = Number(result[0]?.value[1] ?? Number.NaN);
    return Number.isNaN(number) ? undefined : number;
  };
  return {
    value,
    async firingSince(alertname, labels) {
      const matchers = Object.entries({ ...labels, alertname, alertstate: "firing" }).map(([name, value]) => `${name}="${value}"`);
      const selector = `ALERTS{${matchers.join(",")}}`;
      const seconds = await value(`min_over_time(timestamp(${selector})[5m:100ms])`);
      return seconds === undefined ? undefined : Math.round(seconds * 1000);
    },
    async isFiring(alertname, labels) {
      const { alerts } = alertsSchema.parse(await get("/api/v1/alerts")).data;
      return alerts.some(
        (alert) =>
          alert.state === "firing" &&
          alert.labels["alertname"] === alertname &&
          Object.entries(labels).every(([name, value]) => alert.labels[name] === value),
      );
    },
  };
}
