import { z } from "zod";
import type { ActionOutput } from "../../packages/sdk/src/wire/plans.ts";
import { StepFailure } from "../core/failure.ts";
import { describeUnseen, type PrometheusReader } from "../core/prometheus.ts";
import { askConclusively } from "../runbooks/expressions/ask-conclusively.ts";
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
        const answer = await askConclusively(query, {
          ask: async (promql, moment) => prometheus.query(promql, { signal, ...(moment !== undefined && { at: moment }) }),
          at: at === undefined ? undefined : Date.parse(at),
        });
        if (answer.kind === "missing") return { kind: "done", output: { series: [], warnings: [] } };
        if (answer.kind !== "samples") {
          const reason = answer.kind === "unavailable" ? "not_reachable" : "expectation_inconclusive";
          throw new StepFailure({ reason, message: describeUnseen(answer), applied: "no" });
        }
        const only = answer.samples.length === 1 ? answer.samples[0] : undefined;
        const output: ActionOutput = {
          ...(only !== undefined && Number.isFinite(only.value) && { value: only.value }),
          series: answer.samples.slice(0, seriesShown).map((sample) => ({
            labels: { ...sample.labels },
            ...(Number.isFinite(sample.value) && { value: sample.value }),
            at: sample.at,
          })),
          count: answer.samples.length,
          warnings: answer.warnings.slice(0, 5),
        };
        return { kind: "done", output };
      },
    };
  },
});
