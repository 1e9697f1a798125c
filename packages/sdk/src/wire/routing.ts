import { z } from "zod";
import { rolloutIdSchema, shortNameSchema } from "./names.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** A model of a provider, as usage reports name both. */
export const modelRefSchema = z.strictObject({ provider: z.string().min(1).max(60), model: z.string().min(1).max(120) });

/** See {@link modelRefSchema}. */
export type ModelRef = Shape<typeof modelRefSchema>;

const candidateSchema = modelRefSchema.extend({
  /** Share of the tickets that it gets, 0 to 1. */
  share: z.number().min(0).max(1),
  /** Mixed into the hash, so that two rollouts do not meet the same tickets. */
  salt: z.string().min(1).max(100),
  /** The rollout that set it; absent when a person did. */
  rollout: rolloutIdSchema.exactOptional(),
});

const fallbackSchema = modelRefSchema.extend({
  /** From then on it is not served any more; if unset, it stays. */
  until: instantSchema.exactOptional(),
});

/** Most fallbacks of one route. */
export const maxFallbacks = 5;

/** Where the work of a route goes, as people and runs set it; see {@link ModelRoute}. */
export const routeTargetsSchema = z.strictObject({
  /** For every ticket outside the candidate's share. */
  baseline: modelRefSchema,
  /** A model on trial; null while there is none. */
  candidate: candidateSchema.nullable().default(null),
  /** In this order, when a provider is away; the application decides when that is. */
  fallback: z.array(fallbackSchema).max(maxFallbacks).default([]),
});

/** See {@link routeTargetsSchema}. */
export type RouteTargets = Shape<typeof routeTargetsSchema>;

/** Id of a route: a prompt, an operation, or whatever else an application asks a model for. */
export const routeIdSchema = shortNameSchema;

/** A change of a route. */
export const routeChangeSchema = routeTargetsSchema.extend({
  /** The version that was read; 0 where there was no such route. */
  expected: z.int().min(0),
  reason: z.string().trim().min(1).max(300),
});

/** Which model the tickets of one kind of work get. A ticket keeps the model that it began with. */
export const modelRouteSchema = routeTargetsSchema
  .extend({
    id: z.string(),
    /** Counts changes from 1 on. */
    version: z.number(),
    at: instantSchema,
    by: z.string(),
    reason: z.string(),
  })
  .meta({ id: "ModelRoute" });

/** See {@link modelRouteSchema}. */
export type ModelRoute = Shape<typeof modelRouteSchema>;
