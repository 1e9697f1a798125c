import { z } from "zod";
import { jsonSchema } from "./json.ts";

/** What a flag's answer says beside its value: version of the flag, and the rollout, arm and share of the targeting key when a rollout set the share. */
const metadataSchema = z.record(z.string(), z.union([z.boolean(), z.string(), z.number()]));

/**
 * A request of OFREP, the OpenFeature Remote Evaluation Protocol (https://github.com/open-feature/protocol). Of the context only `targetingKey` is
 * read; a provider whose application set no context leaves it out.
 */
export const ofrepRequestSchema = z.object({
  context: z.looseObject({ targetingKey: z.string().max(1000, "at most 1000 characters").optional() }).default({}),
});

/** The value of a flag. `value` is always there: a provider takes an answer without one for "use the default of the code". */
export const ofrepEvaluationSchema = z
  .strictObject({
    key: z.string(),
    value: jsonSchema,
    variant: z.string(),
    reason: z.enum(["STATIC", "SPLIT", "DISABLED"]),
    metadata: metadataSchema,
  })
  .meta({ id: "OfrepEvaluation" });

/** Why a flag has no value. */
export const ofrepFailureSchema = z
  .strictObject({
    key: z.string(),
    errorCode: z.enum(["FLAG_NOT_FOUND", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "PARSE_ERROR", "GENERAL"]),
    errorDetails: z.string(),
  })
  .meta({ id: "OfrepFailure" });

/** Every flag for one context. */
export const ofrepBulkSchema = z.object({ flags: z.array(z.union([ofrepEvaluationSchema, ofrepFailureSchema])) });

/** Why a bulk request has no answer. */
export const ofrepBulkFailureSchema = ofrepFailureSchema.omit({ key: true });

/** What a provider of OFREP before 0.2 asks for at its start. */
export const ofrepConfigurationSchema = z.object({
  name: z.string(),
  capabilities: z.object({
    cacheInvalidation: z.object({ polling: z.object({ enabled: z.boolean(), minPollingIntervalMs: z.number() }) }),
    flagEvaluation: z.object({ supportedTypes: z.array(z.enum(["boolean", "string", "int", "float", "object"])) }),
    /** A cached value would outlive a flag that was switched off. */
    caching: z.object({ enabled: z.boolean() }),
  }),
});
