import { z } from "zod";
import { missReasons } from "./prefix.ts";
import { cacheLifetimes, stabilities } from "./prompt-layout.ts";
import { promptStateSchema } from "./prompts.ts";
import type { Shape } from "./shape.ts";
import { instantSchema, microUsdSchema } from "./units.ts";
import { spanKinds } from "./volatile-span.ts";

/** What breaks a prefix, as its hashes show. */
export const breakClasses = [
  "order_noise", // The same content in another order: tools, keys of JSON.
  "volatile_span", // A clock, an id or a counter inside text that stays.
  "scope_order", // Stable inside a ticket or a repository, and before something that is shared more widely.
  "conditional_section", // There in some requests and not in others.
  "parameter_churn", // Tool choice, thinking or output format changes while the text does not.
  "changes_often", // It changes while a ticket is worked on, and its hashes do not show why.
] as const;

/** See {@link breakClasses}. */
export type BreakClass = (typeof breakClasses)[number];

/** Why tokens that had been sent before were not read, with the markers as they were sent. */
export const missCauses = [
  "ttl_gap", // Their entry had expired.
  "fan_out", // They were being written at that moment.
  "below_minimum", // Too few for the provider.
  "lookback", // Their entry lies more blocks before the marker than the provider looks back.
  "marker_misplaced", // No marker was placed behind them.
] as const;

/** See {@link missCauses}. */
export type MissCause = (typeof missCauses)[number];

/**
 * What mends a prompt's caching. T1 canonical form, T2 volatile spans go to the end, T3 units in the order of their stability, T4 a conditional section
 * behind what stays, T5 parameters pinned per ticket, T6 lifetime or leader before fan-out, T7 markers below the minimum go, `markers` placed anew.
 */
export const cacheTransforms = ["T1", "T2", "T3", "T4", "T5", "T6", "T7", "markers"] as const;

/** See {@link cacheTransforms}. */
export type CacheTransform = (typeof cacheTransforms)[number];

/** One thing that keeps a prompt from being read from the cache. */
export const cacheCauseSchema = z.object({
  /** The layer, the place (`tools`, `system block 2`), `parameters`, or `prompt` for what concerns it as a whole. */
  unit: z.string(),
  class: z.enum([...breakClasses, ...missCauses]),
  transform: z.enum(cacheTransforms),
  /** `none`: nothing changes for the model. `low`: data moves. `medium`: text moves, so answers are compared. `cost`: it may cost more. */
  risk: z.enum(["none", "low", "medium", "cost"]),
  /** For people. */
  sentence: z.string(),
  /** What it is based on. */
  evidence: z.object({
    /** Requests whose prefix survived up to this unit and no further, of all requests, 0 to 1. */
    breakRatio: z.exactOptional(z.number()),
    /** Tokens per request that mending it can win at most. */
    damageTokens: z.exactOptional(z.number()),
    /** Kinds of the spans that differ, the most frequent first. */
    spans: z.exactOptional(z.array(z.enum(spanKinds))),
    /** How often the breaks of this unit were of its class, 0 to 1. */
    agreement: z.exactOptional(z.number()),
    /** Orders in which the same tools came. */
    orders: z.exactOptional(z.number()),
    /** What differs between two requests, with a little around it; only where the application has opted in to texts. */
    example: z.exactOptional(z.tuple([z.string(), z.string()])),
    /** Missed tokens of all prompt tokens, 0 to 1. */
    missedShare: z.exactOptional(z.number()),
  }),
  /** Predicted hit ratio, 0 to 1, once this cause and those before it are mended and markers placed well. */
  hitAfter: z.number(),
  /** What that saves a day against what was measured. */
  savedAfterMicroUsdPerDay: microUsdSchema,
});

/** See {@link cacheCauseSchema}. */
export type CacheCause = Shape<typeof cacheCauseSchema>;

/**
 * How well the replay of the layout as it is matches what was measured. `calibrated`: it may advise and predict. `cautious`: it may advise people, and nothing is
 * deployed on its word alone. `refused`: it does not describe this prompt's cache.
 */
export const calibrationSchema = z.object({
  verdict: z.enum(["calibrated", "cautious", "refused"]),
  /** For people. */
  sentence: z.string(),
  /** Hit ratios 0 to 1 over the same requests; `predictedHit` is with `reliability`. */
  measuredHit: z.number(),
  predictedHit: z.number(),
  /** P(read | the rules allow it), fitted when the plain replay is off; 1 when it is not. */
  reliability: z.number(),
  /** |predicted − measured| in percentage points. */
  errorPoints: z.number(),
});

/** See {@link calibrationSchema}. */
export type Calibration = Shape<typeof calibrationSchema>;

/** Where a marker stands: behind the last block of a unit. */
export const unitMarkerSchema = z.object({ after: z.string(), ttl: z.enum(cacheLifetimes) });

/** See {@link unitMarkerSchema}. */
export type UnitMarker = Shape<typeof unitMarkerSchema>;

/** How one unit of a prompt behaved over the samples. */
export const unitBehaviourSchema = z.object({
  unit: z.string(),
  stability: z.enum(stabilities),
  /** Mean tokens where it is present. */
  tokens: z.number(),
  /** Of the requests, 0 to 1. */
  presence: z.number(),
  /** Of the pairs of consecutive requests of one ticket, those where it changed, 0 to 1; absent without such pairs. */
  changesWithinTicket: z.exactOptional(z.number()),
  distinctContents: z.number(),
});

/** See {@link unitBehaviourSchema}. */
export type UnitBehaviour = Shape<typeof unitBehaviourSchema>;

/** Why nothing is changed automatically. */
export const cacheBlocks = ["uncalibrated", "no_layers", "nothing_to_gain", "not_the_layout"] as const;

/** See {@link cacheBlocks}. */
export type CacheBlock = (typeof cacheBlocks)[number];

/**
 * What is known about one prompt on one model. Ratios are 0 to 1, money is micro-USD of input tokens and per day. While the replay is refused, or when no layout
 * would be cheaper, every prediction is what was measured.
 */
export const cacheAnalysisSchema = z.object({
  requests: z.number(),
  contradictory: z.number(),
  spanMs: z.number(),
  calibration: calibrationSchema,
  measuredHit: z.number(),
  /** The best that its blocks allow, with a marker behind each of them; absent while the replay is refused. */
  achievableHit: z.exactOptional(z.number()),
  costPerDay: microUsdSchema,
  /** What it costs beyond the predicted layout. */
  lostPerDay: microUsdSchema,
  /** The one that is met first, first. */
  causes: z.array(cacheCauseSchema),
  /** Transforms that the prediction includes, each once. */
  transforms: z.array(z.enum(cacheTransforms)),
  /** The markers that the prediction includes. */
  markers: z.array(unitMarkerSchema),
  predictedHit: z.number(),
  predictedCostPerDay: microUsdSchema,
  /** What a new layout alone brings, where the prediction also needs what only the application can do: pinned parameters, one request before the rest. Absent: the same. */
  byLayout: z.exactOptional(z.object({ hit: z.number(), costPerDay: microUsdSchema, markers: z.array(unitMarkerSchema) })),
  /** Units in the order that the prediction includes, as they behaved. */
  units: z.array(unitBehaviourSchema),
  promptTokens: z.number(),
  /** Absent: a change may be drafted. */
  blocked: z.exactOptional(z.enum(cacheBlocks)),
});

/** See {@link cacheAnalysisSchema}. */
export type CacheAnalysis = Shape<typeof cacheAnalysisSchema>;

/** Why there is no analysis. */
export const cacheGaps = ["too_few_samples", "contradictory_usage", "unknown_rules", "unpriced"] as const;

/** An analysis, or what is missing for one. */
export const cacheAnalysisResultSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("analysed"), analysis: cacheAnalysisSchema }),
  z.object({
    kind: z.literal("missing"),
    reason: z.enum(cacheGaps),
    /** For people: what is there and what is needed. */
    sentence: z.string(),
  }),
]);

/** See {@link cacheAnalysisResultSchema}. */
export type CacheAnalysisResult = Shape<typeof cacheAnalysisResultSchema>;

/** What shares one provider cache and one price: samples of a group can be replayed together. */
export const sampleGroupSchema = z.object({ prompt: z.string(), provider: z.string(), model: z.string() });

/** See {@link sampleGroupSchema}. */
export type SampleGroup = Shape<typeof sampleGroupSchema>;

/** The newest analysis of one prompt on one model. */
export const cacheStateSchema = sampleGroupSchema
  .extend({
    /** When it was analysed. */
    at: instantSchema,
    /** When its newest sample was sent; an analysis of the same samples says the same. */
    newestAt: instantSchema,
    /** The version that was analysed: the one with the most samples. Absent when the samples name none. */
    version: z.exactOptional(z.string()),
    /** What was measured of every version among the samples; hit ratios 0 to 1. */
    versions: z.array(z.object({ version: z.string().nullable(), requests: z.number(), hit: z.number() })),
    /** Why the samples missed, as the provider said or as their counters show; the most missed tokens first. */
    misses: z.array(z.object({ reason: z.enum(missReasons), requests: z.number(), missedTokens: z.number() })),
    reply: cacheAnalysisResultSchema,
  })
  .meta({ id: "CacheState" });

/** See {@link cacheStateSchema}. */
export type CacheState = Shape<typeof cacheStateSchema>;

/** A prompt on one model of which usage is known and no prefix, so that what it could read cannot be computed. */
export const unsampledPromptSchema = sampleGroupSchema.extend({
  requests: z.number(),
  /** Input tokens read from the cache, of all, 0 to 1; requests whose usage contradicts itself are left out. */
  hit: z.number(),
});

/** See {@link unsampledPromptSchema}. */
export type UnsampledPrompt = Shape<typeof unsampledPromptSchema>;

/** How prompts are cached, one item for each prompt and model, and recent prompts that reported no prefix. */
export const promptCachesSchema = z.object({ items: z.array(cacheStateSchema), unsampled: z.array(unsampledPromptSchema) });

/** One page of prompts, each with its newest analyses; `nextAfter` is the `after` of the next page and absent on the last. */
export const promptPageSchema = z.object({
  items: z.array(promptStateSchema.extend({ caches: z.array(cacheStateSchema) })),
  nextAfter: z.exactOptional(z.string()),
});
