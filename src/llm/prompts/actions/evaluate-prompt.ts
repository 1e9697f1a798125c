import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import type { ActionResult } from "../../../core/action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { promptParameter } from "../../caching/cached-prompt.ts";
import { faultOfPairs } from "../../rollouts/check-pairs.ts";
import type { EvaluatedPair, Evaluator } from "../../rollouts/evaluator.ts";
import { evaluatePairs } from "../../rollouts/paired-evaluation.ts";
import { versionParameter } from "../stored-prompt.ts";

const progressSchema = z.object({ id: z.string(), headline: z.string(), note: z.string() });

/** The same tickets with both versions, without publishing anything: is the new one no worse? */
export const evaluatePrompt = defineAction({
  name: "evaluate-prompt",
  summary:
    "Lets the application work on the same tickets with two versions of a prompt, and tests that the new one is not worse by more than a margin.",
  parameters: z.strictObject({
    prompt: promptParameter(),
    baseline: versionParameter("The version to compare with."),
    candidate: versionParameter("The version in question."),
    tickets: z.int().min(2).max(1000).default(100).meta({ description: "Tickets to work on with both." }),
    margin: z.number().gt(0).max(0.5).default(0.1).meta({ description: "Quality may be worse by less than this, of 1." }),
    look_every: durationParameter("How often the evaluation is asked how it stands.").default("30s"),
  }),
  result: {
    prompt: "name of the prompt",
    passed: "whether the candidate is proven not to be worse by the margin",
    pairs: "tickets that were worked on with both",
    difference: "mean quality, candidate less baseline",
    lower: "lower end of its one-sided 95 % interval",
    discordant: "pairs whose qualities differ, of all",
    cost_ratio: "cost of all tickets, candidate to baseline; absent when either cost nothing",
    cost_ratio_upper: "upper end of its two-sided 95 % interval",
    sentence: "the verdict for people",
    by: "evaluator, or person when none is configured and a person has answered for it",
  },
  effect: "keyed",
  risk: "raises",
  timeoutMs: 30_000,
  probes: false,
  undoes: false,
  behave(parameters, { evaluator }: { readonly evaluator: Evaluator | undefined }) {
    const { prompt, baseline, candidate, tickets, margin } = parameters;
    const afterMs = millisecondsOf(parameters.look_every);
    return {
      async plan() {
        return {
          summary: `Let the application work on ${tickets} tickets with versions ${baseline} and ${candidate} of prompt ${prompt}`,
          targets: [`prompt/${prompt}`],
          changes: [],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, context): Promise<ActionResult> {
        const { answer, idempotencyKey, progress, signal } = context;
        if (evaluator === undefined) {
          if (answer === undefined) return askInstead(`${prompt}, versions ${baseline} and ${candidate}`);
          return { kind: "done", output: byPerson(prompt, answer === "not_worse") };
        }
        // The same key is the same evaluation, so that asking again after a crash starts none.
        const evaluation =
          progress === undefined
            ? await evaluator.start({ subject: { kind: "prompt", prompt, from: baseline, to: candidate }, tickets }, idempotencyKey, signal)
            : progressSchema.parse(progress);
        const state = await evaluator.read(evaluation.id, signal);
        switch (state.kind) {
          case "running": {
            const note = `${state.done} of ${state.of} tickets`;
            return { kind: "continue", afterMs, progress: { id: evaluation.id, headline: "the application works on the tickets", note } };
          }
          case "failed":
            throw refusal(`The evaluation failed: ${state.reason}`);
          case "stopped":
            throw refusal("The evaluator has stopped before the end, so that nothing is shown.");
          case "done": {
            const fault = faultOfPairs(state.pairs);
            if (fault !== undefined) throw refusal(`The evaluator's pairs cannot be used: ${fault}.`);
            return { kind: "done", output: outputOf(prompt, state.pairs, margin) };
          }
        }
      },
    };
  },
});

function refusal(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}

function askInstead(what: string): ActionResult {
  return {
    kind: "ask",
    question: `No evaluator is configured, so the golden tickets of ${what} must be compared by hand. Answer "not_worse" or "worse".`,
    answers: ["not_worse", "worse"],
    progress: null,
  };
}

function byPerson(prompt: string, passed: boolean): ActionOutput {
  return { prompt, passed, pairs: 0, sentence: `A person has compared the answers: ${passed ? "not worse" : "worse"}.`, by: "person" };
}

function outputOf(prompt: string, pairs: readonly EvaluatedPair[], margin: number): ActionOutput {
  const { notWorse, qualityDifference, qualityLower, discordance, costRatio, sentence } = evaluatePairs(
    pairs.map(({ baseline, candidate }) => ({
      oldQuality: baseline.quality,
      newQuality: candidate.quality,
      oldCostMicroUsd: baseline.costMicroUsd,
      newCostMicroUsd: candidate.costMicroUsd,
    })),
    { margin, seed: prompt },
  );
  return {
    prompt,
    passed: notWorse,
    pairs: pairs.length,
    difference: qualityDifference,
    lower: qualityLower,
    discordant: discordance,
    ...(costRatio !== undefined && { cost_ratio: costRatio.point, cost_ratio_upper: costRatio.upper }),
    sentence,
    by: "evaluator",
  };
}
