import { z } from "zod";
import type { ActionOutput } from "../../packages/sdk/src/wire/plans.ts";
import { StepFailure } from "../core/failure.ts";
import type { PrometheusReader } from "../core/prometheus.ts";
import { defineAction } from "./define-action.ts";
import { promqlParameter } from "./parameter-types.ts";

const seriesShown = 50;

/** Asks Prometheus once. What is not a number is left out, so that an Expected over it is inconclusive and never true. */
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
    count: "number of series",
    warnings: "what Prometheus warned of",
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
        const answer = await prometheus.query(query, { signal, ...(at !== undefined && { at: Date.parse(at) }) });
        if (answer.kind === "unavailable") {
          throw new StepFailure({ reason: "not_reachable", message: `Prometheus could not be asked: ${answer.reason}`, applied: "no" });
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
