import { z } from "zod";
import { listSchema } from "./page.ts";
import { modelRefSchema, modelRouteSchema } from "./routing.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/**
 * Where a model is in its life. `deprecated`: it still answers and will be retired. `retired`: it answers no more. `unknown`: neither its provider's
 * list nor the table says; it is never taken for active.
 */
export const modelLifecycles = ["active", "deprecated", "retired", "unknown"] as const;

/** See {@link modelLifecycles}. */
export type ModelLifecycle = (typeof modelLifecycles)[number];

/** What a request may use and a model may not have. */
export const modelFeatures = ["tools", "thinking", "caching", "batch", "images", "documents", "structured_outputs"] as const;

/** See {@link modelFeatures}. */
export type ModelFeature = (typeof modelFeatures)[number];

/** Which features a model has; one that is absent is unknown. */
export const modelFeaturesSchema = z.strictObject({
  tools: z.exactOptional(z.boolean()),
  thinking: z.exactOptional(z.boolean()),
  caching: z.exactOptional(z.boolean()),
  batch: z.exactOptional(z.boolean()),
  images: z.exactOptional(z.boolean()),
  documents: z.exactOptional(z.boolean()),
  structured_outputs: z.exactOptional(z.boolean()),
});

/** See {@link modelFeaturesSchema}. */
export type ModelFeatures = Shape<typeof modelFeaturesSchema>;

/** What is known of one model, by whom and of when. */
export const modelDescriptionSchema = z
  .object({
    provider: z.string(),
    model: z.string(),
    lifecycle: z.enum(modelLifecycles),
    deprecatedAt: z.exactOptional(instantSchema),
    /** When it is to be retired, or was. */
    retiresAt: z.exactOptional(instantSchema),
    /** Its date has passed and it is not known to be retired: it may end at any time. */
    overdue: z.boolean(),
    /** Tokens of the prompt and the answer together. */
    contextTokens: z.exactOptional(z.number()),
    outputTokens: z.exactOptional(z.number()),
    features: modelFeaturesSchema,
    /** What its provider recommends in its place. */
    replacement: z.exactOptional(modelRefSchema),
    /** Micro-USD per million tokens; absent: no price is known. */
    price: z.exactOptional(z.object({ input: z.number(), output: z.number() })),
    /** Who says what its lifecycle is: the provider's own list, the table of models, or nobody. */
    source: z.enum(["provider", "table", "none"]),
    /** When the source said so; absent without one. */
    asOf: z.exactOptional(instantSchema),
  })
  .meta({ id: "ModelDescription" });

/** Every route, and what is known of each model that one of them names. */
export const routeListSchema = listSchema(modelRouteSchema).extend({ models: z.array(modelDescriptionSchema) });

/** See {@link modelDescriptionSchema}. */
export type ModelDescription = Shape<typeof modelDescriptionSchema>;
