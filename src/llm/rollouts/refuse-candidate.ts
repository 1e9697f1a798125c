import type { ModelDescription } from "../../../packages/sdk/src/wire/models.ts";
import type { RolloutPlan } from "../../../packages/sdk/src/wire/rollouts.ts";
import { formatModelRef } from "../models/model-ref.ts";

/** Why no ticket may get this model by a rollout with this plan, for people; undefined: nothing speaks against it. What is not known of it does not. */
export function refuseCandidate(candidate: ModelDescription, { costLimit }: Pick<RolloutPlan, "costLimit">): string | undefined {
  const name = formatModelRef(candidate);
  if (candidate.lifecycle === "retired")
    return `${name} is retired. Choose another model; GET /api/routes shows what is known of those in use.`;
  if (candidate.price === undefined && costLimit !== null)
    return `${name} has no price, so that its cost cannot be compared. Add it to your price table, or plan the rollout without a limit of cost (a costLimit of null, --cost-limit none).`;
  return undefined;
}
