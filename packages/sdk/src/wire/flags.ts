import { z } from "zod";
import { jsonSchema } from "./json.ts";
import { rolloutIdSchema } from "./names.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** Key of a flag: part of an address, and a metric label after capping. */
export const flagKeySchema = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,79}$/, "a key of 1 to 80 letters, digits and . - _, beginning with a letter or digit");

/** Name of a feature, as `features` in runbookd.yml and alert labels write it. */
export const featureNameSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/, "a name of 1 to 60 letters a-z, digits and -");

/** Types of a flag's values. */
export const flagTypes = ["boolean", "string", "number", "object"] as const;

const variantNameSchema = z.string().regex(/^[\w.-]{1,60}$/, "a variant of 1 to 60 letters, digits and . - _");

const flagShareSchema = z.strictObject({
  variant: variantNameSchema,
  /** Share of the targeting keys that get `variant`, 0 to 1. */
  share: z.number().min(0).max(1),
  /** Mixed into the hash, so that two flags do not meet the same tickets. */
  salt: z.string().min(1).max(100),
  /** The rollout that set it; absent when a person did. */
  rollout: rolloutIdSchema.exactOptional(),
});

/** What a flag is, as people and runs set it; see {@link Flag}. That its variants exist and have its type is checked where it is set. */
export const flagDefinitionSchema = z.strictObject({
  type: z.enum(flagTypes),
  variants: z.record(variantNameSchema, jsonSchema),
  /** While `off`, everybody gets `offVariant`. */
  state: z.enum(["on", "off"]),
  offVariant: variantNameSchema,
  /** For every targeting key outside the share of `rollout`. */
  defaultVariant: variantNameSchema,
  rollout: flagShareSchema.nullable().default(null),
  feature: featureNameSchema.exactOptional(),
});

/** See {@link flagDefinitionSchema}. */
export type FlagDefinition = Shape<typeof flagDefinitionSchema>;

/** A change of a flag. */
export const flagChangeSchema = flagDefinitionSchema.extend({
  /** The version that was read; 0 where there was no such flag. */
  expected: z.int().min(0),
  reason: z.string().trim().min(1).max(300),
});

/** A flag with the change that made it what it is. */
export const flagSchema = flagDefinitionSchema
  .extend({
    key: flagKeySchema,
    /** Counts changes from 1 on. */ version: z.number(),
    at: instantSchema,
    by: z.string(),
    reason: z.string(),
  })
  .meta({ id: "Flag" });

/** See {@link flagSchema}. */
export type Flag = Shape<typeof flagSchema>;

/**
 * What a process that evaluates flags itself is given: those of the asked keys that exist. Asked as `GET /api/flags/served?keys=a,b` with `If-None-Match`,
 * `Runbookd-Follower` and `Runbookd-Held: a=12,b=3`, the versions that the process holds.
 */
export const servedFlagsSchema = z.object({ flags: z.array(flagSchema) });

/** Most keys that one `GET /api/flags/served` may ask for. */
export const maxFlagsPerRequest = 50;

/** A flag with the processes that hold it. */
export const flagViewSchema = flagSchema
  .extend({
    followers: z.object({
      /** Processes that asked for the flag within the last minute. */
      followers: z.number(),
      /** Of them, those that hold its newest version. */
      current: z.number(),
    }),
  })
  .meta({ id: "FlagView" });

/** See {@link flagViewSchema}. */
export type FlagView = Shape<typeof flagViewSchema>;

/** Why a flag is switched off. */
export const flagOffSchema = z.strictObject({ reason: z.string().trim().min(1).max(300) });

const requestCountSchema = z.int().min(0).max(1_000_000_000);

/** Requests of one feature. */
export const featureRequestsSchema = z.strictObject({
  feature: featureNameSchema,
  /** The feature was on and answered. */
  served: requestCountSchema,
  /** The feature was off for the request. */
  refused: requestCountSchema,
});

/** See {@link featureRequestsSchema}. */
export type FeatureRequests = Shape<typeof featureRequestsSchema>;

/**
 * What one process counted since its last report, as `POST /api/features/requests`. A report is sent with the same `sequence` until it is answered, and
 * counted once.
 */
export const featureReportSchema = z.strictObject({
  /** A random name that the process draws when it starts, so that its sequence never begins again under the same name. */
  reporter: z.string().regex(/^[\w.:-]{8,100}$/, "a random name of 8 to 100 letters, digits and . : - _"),
  sequence: z.int().min(1),
  counts: z.array(featureRequestsSchema).min(1).max(50),
});

/** See {@link featureReportSchema}. */
export type FeatureReport = Shape<typeof featureReportSchema>;

/** What became of a report: `duplicate` was counted before. */
export const featureReportResultSchema = z.object({ result: z.enum(["counted", "duplicate"]) });
