import { type Clock, createSystemClock, type Instant } from "../../core/clock.ts";
import type { PrometheusAnswer, PrometheusReader } from "../../core/prometheus.ts";
import { createBoundedSender, defaultRequestLimits, type RequestLimits } from "../../platform/requests/bounded-request.ts";
import { parseMatrix, parseVector } from "./parse-answer.ts";
import type { PrometheusRange } from "./prometheus-range.ts";

/** Asks one Prometheus over its HTTP API. https://prometheus.io/docs/prometheus/latest/querying/api/ */
export interface PrometheusClient extends PrometheusReader {
  queryRange(
    promql: string,
    range: { readonly from: Instant; readonly to: Instant; readonly stepMs: number; readonly signal: AbortSignal },
  ): Promise<PrometheusRange>;
  close(): Promise<void>;
}

/** Where Prometheus is and how it is reached; `headers` include credentials and a tenant id. */
export interface PrometheusOptions {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ca?: string | undefined;
  /** The machine's own unless given. */
  readonly clock?: Clock;
  readonly limits?: RequestLimits;
}

/** Whatever goes wrong is `unavailable` with the reason; an empty answer is an answer. */
export function createPrometheusClient(options: PrometheusOptions): PrometheusClient {
  const limits = options.limits ?? defaultRequestLimits;
  const sender = createBoundedSender(limits, { clock: options.clock ?? createSystemClock(), ca: options.ca });
  const base = options.url.replace(/\/+$/, "");

  async function ask(path: string, fields: Readonly<Record<string, string>>, signal: AbortSignal) {
    const answer = await sender.send({
      method: "POST",
      url: `${base}${path}`,
      headers: { ...options.headers, "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: new URLSearchParams({ timeout: `${Math.ceil(limits.totalMs / 1000)}s`, ...fields }).toString(),
      signal,
    });
    if (answer.kind === "failed") return { reason: answer.failure.message };
    if (answer.truncated) return { reason: `the answer is larger than ${limits.maxBytes} bytes` };
    return { status: answer.status, body: answer.body };
  }

  return {
    async query(promql, { at, signal }): Promise<PrometheusAnswer> {
      const answer = await ask("/api/v1/query", { query: promql, ...(at !== undefined && { time: String(at / 1000) }) }, signal);
      return "reason" in answer ? { kind: "unavailable", reason: answer.reason } : parseVector(answer.status, answer.body);
    },
    async queryRange(promql, { from, to, stepMs, signal }) {
      const fields = { query: promql, start: String(from / 1000), end: String(to / 1000), step: String(stepMs / 1000) };
      const answer = await ask("/api/v1/query_range", fields, signal);
      return "reason" in answer ? { kind: "unavailable", reason: answer.reason } : parseMatrix(answer.status, answer.body);
    },
    close: () => sender.close(),
  };
}
