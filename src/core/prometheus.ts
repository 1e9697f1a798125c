import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Instant } from "./clock.ts";

/** One sample of an instant query. The value may be NaN or infinite, as Prometheus gave it. */
export interface PrometheusSample {
  readonly labels: Labels;
  readonly value: number;
  readonly at: Instant;
}

/** An answer that shows nothing to rely on: Prometheus could not be asked, or it says that data is missing from its answer. */
export interface UnseenAnswer {
  readonly kind: "unavailable" | "incomplete";
  readonly reason: string;
}

/**
 * `samples` is a complete answer, and an empty list of them is one too; its warnings are harmless notes on the query.
 * Samples of an incomplete answer are not given: whatever they seem to show may be wrong.
 */
export type PrometheusAnswer =
  | { readonly kind: "samples"; readonly samples: readonly PrometheusSample[]; readonly warnings: readonly string[] }
  | UnseenAnswer;

/** Why an answer shows nothing, as one sentence without a full stop. */
export function describeUnseen({ kind, reason }: UnseenAnswer): string {
  return kind === "unavailable" ? `Prometheus could not be asked: ${reason}` : `The answer of Prometheus is incomplete: ${reason}`;
}

/** Reads Prometheus. Never rejects for what Prometheus says or does not say. */
export interface PrometheusReader {
  query(promql: string, options: { readonly at?: Instant; readonly signal: AbortSignal }): Promise<PrometheusAnswer>;
}
