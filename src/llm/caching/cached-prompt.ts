import { z } from "zod";
import { promptNameSchema } from "../../../packages/sdk/src/wire/names.ts";
import type { ActionContext } from "../../core/action.ts";
import { StepFailure } from "../../core/failure.ts";
import type { CacheAnalysisReader } from "./cache-analysis-reader.ts";

/** Exactly one prompt by its name; a wildcard or a list is refused. */
export function promptParameter() {
  return promptNameSchema.meta({ description: "Name of one prompt." });
}

/** The provider and model whose cache is meant. */
export const servedBy = {
  provider: z.string().min(1).max(60).meta({ description: "Provider that serves it." }),
  model: z.string().min(1).max(120).meta({ description: "Model that serves it." }),
};

type Analyzed = Extract<Awaited<ReturnType<CacheAnalysisReader["analyze"]>>, { kind: "analysed" }>["analysis"];

/** Analyses one prompt on one model; throws StepFailure with what is missing when it cannot be judged. */
export async function readAnalysis(
  cache: CacheAnalysisReader,
  group: { readonly prompt: string; readonly provider: string; readonly model: string },
  { signal }: Pick<ActionContext, "signal">,
): Promise<Analyzed> {
  const { prompt, provider, model } = group;
  const result = await cache.analyze({ prompt, provider, model }, signal);
  if (result.kind === "analysed") return result.analysis;
  throw new StepFailure({ reason: "expectation_inconclusive", message: result.sentence, applied: "no" });
}
