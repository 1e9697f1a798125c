import type { Labels } from "../../../packages/sdk/src/wire/alerts.ts";
import type { Instant } from "../../core/clock.ts";
import type { UnseenAnswer } from "../../core/prometheus.ts";

/** Points of one series; a value may be NaN or infinite. */
interface PrometheusSeries {
  readonly labels: Labels;
  readonly points: readonly { readonly at: Instant; readonly value: number }[];
}

/** Answer to a range query. */
export type PrometheusRange =
  | { readonly kind: "series"; readonly series: readonly PrometheusSeries[]; readonly warnings: readonly string[] }
  | UnseenAnswer;
