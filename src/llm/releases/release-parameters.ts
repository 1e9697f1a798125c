import { z } from "zod";
import { featureNameSchema } from "../../../packages/sdk/src/wire/flags.ts";
import { commitIdPattern } from "../../core/commit-id.ts";

/** The full id of a commit; a shorter one may come to mean another commit. */
export function commitParameter(description: string) {
  return z.string().regex(commitIdPattern, "must be the full id of a commit: 40 or 64 of 0-9 and a-f").meta({ description });
}

/** Parameter `feature` of an action that works on a fix. */
export const featureParameter = featureNameSchema.meta({ description: "Name of one feature of runbookd.yml." });
