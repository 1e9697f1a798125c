import { rolloutIdSchema } from "../../../packages/sdk/src/wire/names.ts";

/** Parameter `rollout` of an action. */
export const rolloutParameter = rolloutIdSchema.meta({ description: "Id of the rollout, as plan-rollout returns it." });
