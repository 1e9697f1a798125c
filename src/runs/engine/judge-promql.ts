import type { Truth } from "../../../packages/sdk/src/wire/journal.ts";
import { describeUnseen } from "../../core/prometheus.ts";
import { askConclusively } from "../../runbooks/expressions/ask-conclusively.ts";
import type { MetricSource } from "./metric-source.ts";

/** What a check saw. */
export interface CheckResult {
  readonly truth: Truth;
  readonly detail: string;
}

/**
 * A promql check passes when the query returns a non-empty result, as in an alert rule.
 * NaN, a missing series, an incomplete answer or an unreachable Prometheus is inconclusive: an empty answer is only "false" when every series that the query reads exists.
 */
export async function checkPromql(query: string, metrics: MetricSource, signal: AbortSignal): Promise<CheckResult> {
  const result = await askConclusively(query, { ask: async (promql, at) => metrics.query(promql, at, signal) });
  if (result.kind === "missing") return { truth: "inconclusive", detail: `${result.reason}.` };
  if (result.kind !== "samples") return { truth: "inconclusive", detail: describeUnseen(result) };
  const values = result.samples.map((sample) => sample.value);
  if (values.some((value) => Number.isNaN(value))) return { truth: "inconclusive", detail: "The answer is not a number." };
  if (values.length > 0) return { truth: "true", detail: values.length === 1 ? `value ${String(values[0])}` : `${values.length} series` };
  return { truth: "false", detail: "The query returns nothing, although its series exist." };
}
