import { z } from "zod";
import { defineAction } from "../../../actions/define-action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { oneUsd } from "../../../core/money.ts";
import { formatModelRef } from "../../models/model-ref.ts";
import type { EvaluationStore } from "../evaluation.ts";
import { type EvaluationVerdict, judgeEvaluation } from "../judge-evaluation.ts";

/** Judges by an evaluation whether a candidate is not worse than the present model, and whether its cost is within the limit. */
export const compareCandidate = defineAction({
  name: "compare-candidate",
  summary:
    "Tests on the pairs of an evaluation that the candidate is not worse by more than a margin and costs at most a multiple of the present model, ticket by ticket.",
  parameters: z.strictObject({
    evaluation: z
      .string()
      .regex(/^[\w.-]{1,128}$/, { message: "must be the id of one evaluation" })
      .meta({ description: "Id of one evaluation, the result of evaluate-candidate." }),
    margin: z.number().gt(0).max(0.5).default(0.1).meta({ description: "Quality may be worse by less than this, of 1." }),
    max_cost_ratio: z
      .number()
      .gt(0)
      .max(100)
      .default(1.1)
      .meta({ description: "Its cost may be at most this multiple of that of the present model." }),
  }),
  result: {
    evaluation: "id of the evaluation",
    from: "the model that the route gives to tickets",
    to: "the candidate",
    verdict: "pass, worse, dear or inconclusive",
    pairs: "tickets that were worked on with both",
    difference: "mean quality, candidate less present model",
    lower: "lower end of its one-sided 95 % interval",
    upper: "upper end of its one-sided 95 % interval",
    discordant: "share of the pairs whose qualities differ, 0 to 1",
    needed: "tickets that show with a power of 80 % that an equal model is not worse",
    cost_ratio: "cost of all tickets, candidate to present model, without the cost of cold caches; absent when either cost nothing",
    cost_ratio_upper: "upper end of its two-sided 95 % interval",
    cold_cost_usd: "cost of cold caches in USD, which the ratio leaves out",
    refusals: "{baseline, candidate}: tickets that each model refused",
    by: "evaluator, or person when a person has compared the models",
    sentence: "the verdict for people",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 30_000,
  probes: false,
  undoes: false,
  behave({ evaluation: id, margin, max_cost_ratio: maxCostRatio }, { evaluations }: { readonly evaluations: EvaluationStore }) {
    return {
      async plan() {
        return { summary: `Compare the models of ${id}`, targets: [`evaluation/${id}`], changes: [], reversible: true, data: null };
      },
      async run() {
        const evaluation = await evaluations.read(id);
        if (evaluation === undefined || evaluation.subject.kind !== "model") {
          const message = `There is no evaluation ${id} of models; evaluate-candidate makes one, and it is kept for 90 days.`;
          throw new StepFailure({ reason: "refused_by_target", message, applied: "no" });
        }
        const { from, to } = evaluation.subject;
        const by = evaluation.outcome.kind === "person" ? "person" : "evaluator";
        const verdict = judgeEvaluation(evaluation, { margin, maxCostRatio });
        return { kind: "done", output: { evaluation: id, from: formatModelRef(from), to: formatModelRef(to), ...factsOf(verdict), by } };
      },
    };
  },
});

function factsOf({ verdict, sentence, facts, coldCostMicroUsd, refusals }: EvaluationVerdict) {
  return {
    verdict,
    sentence,
    pairs: facts?.pairs ?? 0,
    ...(facts !== undefined && {
      difference: facts.qualityDifference,
      lower: facts.qualityLower,
      upper: facts.qualityUpper,
      discordant: facts.discordance,
      needed: facts.needed,
      ...(facts.costRatio !== undefined && { cost_ratio: facts.costRatio.point, cost_ratio_upper: facts.costRatio.upper }),
    }),
    cold_cost_usd: coldCostMicroUsd / oneUsd,
    refusals: { ...refusals },
  };
}
