import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Instant } from "./clock.ts";

/** One sample of an instant query. The value may be NaN or infinite, as Prometheus gave it. */
export interface PrometheusSample {
  readonly labels: Labels;
  readonly value: number;
  readonly at: Instant;
}

/** An empty list of samples is an answer; `unavailable` means that nobody could see. */
export type PrometheusAnswer =
  | { readonly kind: "samples"; readonly samples: readonly PrometheusSample[]; readonly warnings: readonly string[] }
  | { readonly kind: "unavailable"; readonly reason: string };

/** Reads Prometheus. Never rejects for what Prometheus says or does not say. */
export interface PrometheusReader {
  query(promql: string, options: { readonly at?: Instant; readonly signal: AbortSignal }): Promise<PrometheusAnswer>;
}
