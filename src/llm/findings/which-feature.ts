import { z } from "zod";
import type { ActionContext, ActionResult } from "../../core/action.ts";
import type { Feature } from "../../core/feature.ts";

/** The answer of a person who names no feature. */
export const noFeature = "none";

const maxNamed = 30;
/** Longer names do not fit into an answer. */
const maxAnswerLength = 40;

const namedSchema = z.object({ feature: z.string(), asked_for: z.string() });

/**
 * The feature that a step is about: the one of this name; else the one that a person has named in this step or in an earlier one of the run, for a name that
 * no feature has. `none`: the person said that no feature is meant. Undefined: no feature is known, and a person must be asked.
 */
export function featureMeant(
  name: string,
  features: readonly Feature[],
  { answer, results }: Pick<ActionContext, "answer" | "results">,
): Feature | typeof noFeature | undefined {
  const find = (wanted: string) => features.find((feature) => feature.name === wanted);
  const direct = find(name);
  if (direct !== undefined) return direct;
  const said = answer ?? saidBefore(name, results);
  return said === noFeature ? noFeature : find(said ?? "");
}

function saidBefore(name: string, results: ActionContext["results"]): string | undefined {
  for (const result of Object.values(results)) {
    const named = namedSchema.safeParse(result);
    if (named.success && named.data.asked_for === name) return named.data.feature;
  }
  return undefined;
}

/** Asks a person which feature is meant. `what`: the sentence that says what is waiting for the answer. */
export function askWhichFeature(name: string, features: readonly Feature[], what: string): ActionResult {
  const names = features
    .map((feature) => feature.name)
    .filter((one) => one.length <= maxAnswerLength)
    .slice(0, maxNamed);
  const which =
    names.length === 0
      ? "No feature is described under `features` in runbookd.yml."
      : `Described are: ${features
          .map((one) => one.name)
          .join(", ")
          .slice(0, 1000)}.`;
  return {
    kind: "ask",
    question: `runbookd.yml describes no feature "${name}". ${what} ${which} Which one is it? Nothing is switched off until then; answer "${noFeature}" when it is none of them.`,
    answers: [...names, noFeature],
    progress: null,
  };
}
