import type { ActionContext } from "../../core/action.ts";
import { StepFailure } from "../../core/failure.ts";
import type { Feature } from "../../core/feature.ts";
import { featureMeant, noFeature } from "../findings/which-feature.ts";

/**
 * The feature of this name, or the one that a person has named in an earlier step of the run.
 * @throws StepFailure `invalid_parameters` when runbookd.yml describes none.
 */
export function readFeature(name: string, features: readonly Feature[], context: Pick<ActionContext, "answer" | "results">): Feature {
  const meant = featureMeant(name, features, context);
  if (meant !== undefined && meant !== noFeature) return meant;
  throw invalidRelease(`runbookd.yml describes no feature "${name}"; a person has to do this step.`);
}

/** The failure of a step that cannot be begun as it is configured; nothing was changed. */
export function invalidRelease(message: string): StepFailure {
  return new StepFailure({ reason: "invalid_parameters", message, applied: "no" });
}
