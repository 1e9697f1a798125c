import { z } from "zod";
import { workloadChangeSchema } from "./changes.ts";
import { costDimensions } from "./cost-dimension.ts";
import type { Shape } from "./shape.ts";
import { instantSchema, microUsdSchema } from "./units.ts";

/** What cost is the product of, for one model; `new_models` is what cannot be compared because a window has none of it. */
export const costFactors = [
  "tickets",
  "attempts_per_ticket",
  "turns_per_attempt",
  "tokens_per_turn",
  "cache_mix",
  "price",
  "output_ratio",
  "new_models",
] as const;

/** See {@link costFactors}. */
export type CostFactor = (typeof costFactors)[number];

/** One factor's part of the change, in micro-USD; the parts sum to the change. */
export const factorChangeSchema = z.object({
  factor: z.enum(costFactors),
  changeMicroUsd: microUsdSchema,
  /** Of the whole change; may be above 1 or below 0. */
  share: z.number(),
  /** How many times what it was the factor is now, over all models; what the factors multiply to is what cost rose to. 1 where nothing can be compared. */
  times: z.number(),
});

/** See {@link factorChangeSchema}. */
export type FactorChange = Shape<typeof factorChangeSchema>;

/** Elements of dimensions that must all hold; an empty one is everything. */
export const segmentSchema = z.partialRecord(z.enum(costDimensions), z.string());

/** See {@link segmentSchema}. */
export type Segment = Shape<typeof segmentSchema>;

/** One element of a dimension in both windows. */
export const elementChangeSchema = z.object({
  element: z.string(),
  /** (A−F of the element)/(A−F): its part of the change. */
  explains: z.number(),
  surprise: z.number(),
});

/** See {@link elementChangeSchema}. */
export type ElementChange = Shape<typeof elementChangeSchema>;

/** A dimension whose few elements explain the change. */
export const dimensionFindingSchema = z.object({
  dimension: z.enum(costDimensions),
  /** The most surprising first. */
  elements: z.array(elementChangeSchema),
  explains: z.number(),
  surprise: z.number(),
});

/** See {@link dimensionFindingSchema}. */
export type DimensionFinding = Shape<typeof dimensionFindingSchema>;

/** One element's cost and share; the elements of a dimension that cost most. */
export const topElementSchema = z.object({
  element: z.string(),
  costMicroUsd: microUsdSchema,
  changeMicroUsd: microUsdSchema,
  /** Of the window's cost, 0 to 1. */
  share: z.number(),
});

/** `attributed`: a segment explains most of a rise. `diffuse`: it rose everywhere. `no_spike`: no rise worth a search. `no_spend`: nothing was spent. */
export const costVerdicts = ["attributed", "diffuse", "no_spike", "no_spend"] as const;

/** What changed when cost rose, and how much of it. Money in micro-USD; the baseline is brought to the length of the incident. */
export const costAttributionSchema = z.object({
  verdict: z.enum(costVerdicts),
  /** For people; says first when tokens without a price make it doubtful. */
  sentence: z.string(),
  costMicroUsd: microUsdSchema,
  baselineMicroUsd: microUsdSchema,
  changeMicroUsd: microUsdSchema,
  /** Empty unless `attributed`. */
  segment: segmentSchema,
  /** Of the rise, by the segment; absent unless `attributed`. */
  explains: z.exactOptional(z.number()),
  /** Cost of the segment in both windows. */
  segmentCostMicroUsd: microUsdSchema,
  segmentBaselineMicroUsd: microUsdSchema,
  findings: z.array(dimensionFindingSchema),
  /** Of the segment, or of everything when there is no segment; the parts sum to that change. None without a baseline. */
  factors: z.array(factorChangeSchema),
  top: z.partialRecord(z.enum(costDimensions), z.array(topElementSchema)),
  /** How unevenly cost is spread over (prompt, operation): Gini coefficient, 0 even to 1 all in one. */
  concentration: z.number(),
  /** Tokens that no price covers, of all tokens of the incident, 0 to 1. */
  unpricedShare: z.number(),
});

/** See {@link costAttributionSchema}. */
export type CostAttribution = Shape<typeof costAttributionSchema>;

/** A change near the onset of a rise. It coincides; whether it is the cause is for a person to find. `score`: how well it fits, 0 to 1. */
export const coincidingChangeSchema = workloadChangeSchema.extend({ score: z.number() });

/** See {@link coincidingChangeSchema}. */
export type CoincidingChange = Shape<typeof coincidingChangeSchema>;

/** Two windows [from, to); the earlier one is what is usual. */
export const costQuestionSchema = z.object({
  from: instantSchema,
  to: instantSchema,
  baselineFrom: instantSchema,
  baselineTo: instantSchema,
  /** Absent: all budgets together. */
  budget: z.exactOptional(z.string()),
});

/** See {@link costQuestionSchema}. */
export type CostQuestion = Shape<typeof costQuestionSchema>;

/** A row of the price table that priced usage of the windows, and where it was read. */
export const priceEvidenceSchema = z.object({
  provider: z.string(),
  model: z.string(),
  /** First day, UTC, on which the price holds. */
  from: z.string(),
  /** First day on which it no longer holds. */
  until: z.exactOptional(z.string()),
  /** The page or contract with the day on which it was read; absent when the row says none. */
  source: z.exactOptional(z.string()),
  /** What usage at this price cost in both windows. */
  costMicroUsd: microUsdSchema,
});

/** See {@link priceEvidenceSchema}. */
export type PriceEvidence = Shape<typeof priceEvidenceSchema>;

/** Why windows are not explained: events of them were dropped, or they have more than one explanation reads. */
export const incompleteReasons = ["not_kept", "too_many_events"] as const;

const comparedSchema = costQuestionSchema.extend({ requests: z.number(), baselineRequests: z.number() });

/** What changed between two windows. `incomplete`: events of one of them are no longer kept, and a part of a window explains nothing; or they are too many. */
export const costExplanationSchema = z.discriminatedUnion("kind", [
  comparedSchema.extend(costAttributionSchema.shape).extend({
    kind: z.literal("explained"),
    /** When the rise began; every cost of the window is of the time since. */
    beganAt: instantSchema,
    coincides: z.array(coincidingChangeSchema),
    /** Prices that the windows' usage has by the table of now, those with the most cost first; at most 20. */
    prices: z.array(priceEvidenceSchema),
    /** Absent when nothing rose. */
    advice: z.exactOptional(z.string()),
  }),
  /** Nothing was read, so the requests are those of all budgets, and a completed report counts as two. */
  comparedSchema.extend({ kind: z.literal("incomplete"), reason: z.enum(incompleteReasons), sentence: z.string() }),
]);

/** See {@link costExplanationSchema}. */
export type CostExplanation = Shape<typeof costExplanationSchema>;
