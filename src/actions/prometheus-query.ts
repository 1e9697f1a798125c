import { z } from "zod";
import type { ActionOutput } from "../../packages/sdk/src/wire/plans.ts";
import { StepFailure } from "../core/failure.ts";
import { describeUnseen, type PrometheusAnswer, type PrometheusReader } from "../core/prometheus.ts";
import { seriesRead } from "../runbooks/expressions/promql.ts";
import { defineAction } from "./define-action.ts";
import { promqlParameter } from "./parameter-types.ts";

const seriesShown = 50;

/** Asks Prometheus once. What was not seen is left out, so that an Expected over it is inconclusive and never true; an incomplete answer fails the step. */
export const prometheusQuery = defineAction({
  name: "prometheus-query",
  summary: "Evaluates a PromQL query at one moment.",
  parameters: z.strictObject({
    query: promqlParameter("The query."),
    at: z.iso.datetime({ offset: true }).optional().meta({ description: "RFC 3339 moment; now without it." }),
  }),
  result: {
    value: "the number, when the answer is exactly one finite sample; else absent",
    series: `up to ${seriesShown} of {labels, value, at}; value is absent when it is not finite`,
    count: "number of series; absent when the answer is empty and a series that the query reads does not exist",
    warnings: "harmless notes of Prometheus on the query",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 15_000,
  probes: false,
  undoes: false,
  behave({ query, at }, { prometheus }: { readonly prometheus: PrometheusReader }) {
    return {
      async plan() {
        return { summary: `Ask Prometheus: ${query.slice(0, 200)}`, targets: [], changes: [], reversible: true, data: null };
      },
      async run(_plan, { signal }) {
        const ask = async (promql: string) => prometheus.query(promql, { signal, ...(at !== undefined && { at: Date.parse(at) }) });
        const answer = await ask(query);
        if (answer.kind !== "samples") {
          const reason = answer.kind === "unavailable" ? "not_reachable" : "expectation_inconclusive";
          throw new StepFailure({ reason, message: describeUnseen(answer), applied: "no" });
        }
        const isConclusive = answer.samples.length > 0 || (await everySeriesExists(query, ask));
        const only = answer.samples.length === 1 ? answer.samples[0] : undefined;
        const output: ActionOutput = {
          ...(only !== undefined && Number.isFinite(only.value) && { value: only.value }),
          series: answer.samples.slice(0, seriesShown).map((sample) => ({
            labels: { ...sample.labels },
            ...(Number.isFinite(sample.value) && { value: sample.value }),
            at: sample.at,
          })),
          ...(isConclusive && { count: answer.samples.length }),
          warnings: answer.warnings.slice(0, 5),
        };
        return { kind: "done", output };
      },
    };
  },
});

/** Nothing of a series that does not exist is no sight: an exporter that is down looks like a count of none. */
async function everySeriesExists(query: string, ask: (promql: string) => Promise<PrometheusAnswer>): Promise<boolean> {
  for (const selector of seriesRead(query)) {
    const exists = await ask(`count(${selector})`);
    if (exists.kind !== "samples" || exists.samples.length === 0) return false;
  }
  return true;
}
