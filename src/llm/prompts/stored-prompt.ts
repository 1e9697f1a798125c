import { z } from "zod";
import type { PromptState } from "../../../packages/sdk/src/wire/prompts.ts";
import { StepFailure } from "../../core/failure.ts";
import type { PromptStore } from "./prompt.ts";

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
