import { z } from "zod";
import type { ActionContext } from "../core/action.ts";
import { StepFailure } from "../core/failure.ts";
import type { CacheSight } from "../llm/caching/cache-sight.ts";
import { type PromptState, type PromptStore, promptNameSchema } from "../workload/prompt.ts";

/** Exactly one prompt by its name; a wildcard or a list is refused. */
export function promptParameter() {
  return promptNameSchema.meta({ description: "Name of one prompt." });
}

/** The provider and model whose cache is meant. */
export const servedBy = {
  provider: z.string().min(1).max(60).meta({ description: "Provider that serves it." }),
  model: z.string().min(1).max(120).meta({ description: "Model that serves it." }),
};

/** Number of a version. */
export function versionParameter(description: string) {
  return z.int().min(1).meta({ description });
}

/** Reads one prompt; throws StepFailure when there is none of that name. */
export async function readPrompt(prompts: Pick<PromptStore, "read">, prompt: string): Promise<PromptState> {
  const state = await prompts.read(prompt);
  if (state !== undefined) return state;
  throw new StepFailure({
    reason: "invalid_parameters",
    message: `There is no prompt "${prompt}" in the prompt store; without its layers nothing can be restructured.`,
    applied: "no",
  });
}

type Analysed = Extract<Awaited<ReturnType<CacheSight["analyse"]>>, { kind: "analysed" }>["analysis"];

/** Analyses one prompt on one model; throws StepFailure with what is missing when it cannot be judged. */
export async function readAnalysis(
  cache: CacheSight,
  group: { readonly prompt: string; readonly provider: string; readonly model: string },
  { signal }: Pick<ActionContext, "signal">,
): Promise<Analysed> {
  const { prompt, provider, model } = group;
  const reply = await cache.analyse({ prompt, provider, model }, signal);
  if (reply.kind === "analysed") return reply.analysis;
  throw new StepFailure({ reason: "expectation_inconclusive", message: reply.sentence, applied: "no" });
}
