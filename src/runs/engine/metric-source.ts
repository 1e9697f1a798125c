import type { Instant } from "../../core/clock.ts";
import type { UnseenAnswer } from "../../core/prometheus.ts";

/** Prometheus, as the engine needs it. */
export interface MetricSource {
  query(
    promql: string,
    at: Instant | undefined,
    signal: AbortSignal,
  ): Promise<
    | {
        readonly kind: "samples";
        readonly samples: readonly { readonly labels: { readonly [name: string]: string }; readonly value: number; readonly at: Instant }[];
      }
    | UnseenAnswer
  >;
}
