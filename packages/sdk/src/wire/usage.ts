import { z } from "zod";
import { budgetIdSchema, externalIdSchema, queueNameSchema, shortNameSchema } from "./names.ts";
import { cacheMissSchema, type Prefix, prefixSchema } from "./prefix.ts";
import { type RolloutAssignment, rolloutAssignmentsSchema } from "./rollouts.ts";
import type { Shape } from "./shape.ts";
import { instantSchema, microUsdSchema } from "./units.ts";

/** Usage objects that are understood as their providers and libraries write them. */
export const usageShapes = [
  "anthropic-messages",
  "openai-chat", // Also LiteLLM, OpenRouter, DeepSeek, xAI, Kimi, Mistral over HTTP, and Gemini in OpenAI's form.
  "openai-responses",
  "langchain", // `usage_metadata`.
  "pydantic-ai", // `RequestUsage`.
  "ai-sdk", // `LanguageModelUsage` of Vercel AI SDK 5, 6 and 7.
  "ai-sdk-provider", // Provider specification V3 and V4: inputTokens and outputTokens are objects.
  "bedrock-converse",
  "gemini", // `usageMetadata`, in camel case or in snake case.
  "mistral", // Mistral's client for TypeScript.
  "cohere",
  "ollama",
  "embeddings",
  "otel", // Attributes of an OpenTelemetry GenAI span, OpenLLMetry's and pydantic-ai's names too.
  "partition", // Our own: already one partition.
] as const;

/** See {@link usageShapes}. */
export type UsageShape = (typeof usageShapes)[number];

/** How a model request ended; a metric label. */
export const requestOutcomes = ["ok", "rate_limited", "spend_limited", "overloaded", "error", "refusal"] as const;

/** One model request as the application reports it. */
export const usageReportSchema = z.strictObject({
  /**
   * The provider's request id. With provider and budget it identifies the report: the same report is counted once, and a later one that counts
   * more completes it.
   */
  id: externalIdSchema,
  /** When the request ended, UTC ms; the time of receipt when absent or more than 5 min ahead. A report older than `RUNBOOKD_USAGE_DAYS` is refused. */
  at: z.int().optional(),
  provider: z.string().min(1).max(60),
  /** The model that answered. */
  model: z.string().min(1).max(120),
  /** The model that was asked for, when it differs. */
  requestModel: z.string().min(1).max(120).optional(),
  operation: shortNameSchema,
  prompt: shortNameSchema,
  promptVersion: z.string().max(60).optional(),
  budget: budgetIdSchema,
  queue: queueNameSchema.default("default"),
  /** Who answers for the work, and the repository that it is on. */
  team: z.string().min(1).max(60).optional(),
  repo: z.string().min(1).max(120).optional(),
  ticketId: externalIdSchema,
  batchId: externalIdSchema.optional(),
  /** Kept with the event. What is settled is the one lease that the ticket has on the budget. */
  leaseId: z.string().max(64).optional(),
  attempt: z.int().min(1).max(10_000).default(1),
  turn: z.int().min(0).max(1_000_000).default(0),
  variant: shortNameSchema.default("baseline"),
  serviceTier: z.string().max(40).optional(),
  /** The usage object as provider or library wrote it; absent for a request that failed before it cost anything. */
  usage: z.unknown().optional(),
  shape: z.enum(usageShapes).optional(),
  outcome: z.enum(requestOutcomes).default("ok"),
  error: z.string().max(200).optional(),
  latencyMs: z.number().min(0).max(86_400_000).optional(),
  ttftMs: z.number().min(0).max(86_400_000).optional(),
  traceId: z.string().max(64).optional(),
  /** The rollouts that the ticket is in, for one that no admission has counted. What does not fit is left out; the usage is counted all the same. */
  assignments: rolloutAssignmentsSchema.catch([]).exactOptional(),
  /** The prompt as hashes of its blocks, see `prefixSchema`. One that does not fit is reported and left out; the usage is counted all the same. */
  prefix: z.unknown().optional(),
  /** What the provider said about the cache, untouched: Anthropic's `diagnostics`, OpenAI's `prompt_cache_diagnostics`. Null is Anthropic's "no divergence". */
  diagnostics: z.unknown().optional(),
});

/** One model request as the application sends it; see {@link usageReportSchema}. */
export type UsageReport = Omit<z.input<typeof usageReportSchema>, "prefix" | "assignments"> & {
  readonly prefix?: Prefix;
  readonly assignments?: readonly RolloutAssignment[];
};

/** Most events of one request. */
export const maxEventsPerReport = 1000;

/** Most bytes of one request's body, and of the events that a client puts into one, so that reading one blocks no other request for long. */
export const maxReportBytes = { body: 4 * 1024 * 1024, events: 1024 * 1024 } as const;

/** Reports in bulk. Each is parsed separately with {@link usageReportSchema}, so that one that does not fit stops none of the others. */
export const usageReportsSchema = z.strictObject({ events: z.array(z.unknown()).min(1).max(maxEventsPerReport) });

/** The same with its events, for the description of the interface. */
export const describedUsageReportsSchema = z.strictObject({
  events: z
    .array(
      usageReportSchema
        .extend({
          usage: z.looseObject({}).optional().meta({ description: "The usage object as provider or library wrote it." }),
          prefix: prefixSchema.optional(),
        })
        .meta({ id: "UsageReport" }),
    )
    .min(1)
    .max(maxEventsPerReport),
});

/** Why a usage object could not become a partition: a closed set, and the metric label. */
export const usageAnomalies = [
  "unrecognised_shape", // None of the shapes that are known.
  "ambiguous_shape", // Two shapes fit and count differently; name the shape or the provider.
  "missing_usage", // A successful request without a usage object.
  "missing_count", // A total that the shape needs is absent.
  "unread_count", // It has a count that the shape does not use.
  "provider_mismatch", // The shape is not how the provider writes usage.
  "not_a_count", // Negative, fractional, infinite, or beyond 10^10.
  "parts_exceed_total", // Cached and written tokens are more than the prompt.
  "parts_do_not_sum", // The parts and the total that the provider gave differ.
  "reasoning_exceeds_output",
  "no_report", // A turn was admitted and ended, and nothing of it was reported.
] as const;

/** See {@link usageAnomalies}. */
export type UsageAnomaly = (typeof usageAnomalies)[number];

/** Where the amount comes from that stands for an unknown cost: a metric label. */
export const estimateSources = [
  "reservation", // What the admission of the turn had reserved.
  "operation_p90", // The 90th percentile of recent requests of the same operation.
  "setting", // `RUNBOOKD_UNKNOWN_COST_USD`.
] as const;

/** See {@link estimateSources}. */
export type EstimateSource = (typeof estimateSources)[number];

/** Why a report contradicts the one that was counted under its id: a metric label. */
export const usageConflicts = [
  "another_model",
  "another_ticket",
  "lower_count", // A count is lower than before.
  "lower_cost", // The counts are the same or higher, and the cost is lower.
  "unreadable", // The first one could be read and priced, this one cannot.
  "corrected", // A person has set the cost.
] as const;

/** See {@link usageConflicts}. */
export type UsageConflict = (typeof usageConflicts)[number];

/**
 * What became of one reported event. `completed`: the id was counted before and this report says more, so the difference was charged. `conflict`: it
 * contradicts what was counted under its id; the higher cost stands until a person settles it. `too_old`: it ended longer ago than ids are remembered, and
 * was not counted. `invalid`: it does not fit the schema; `issues` say where, and it was not counted.
 */
export const usageResultSchema = z.object({
  id: z.string(),
  result: z.enum(["accepted", "completed", "duplicate", "conflict", "too_old", "unknown_budget", "invalid"]),
  /** What is charged under the id now. */
  costMicroUsd: z.exactOptional(microUsdSchema),
  /** The cost is not known; what is charged comes from here. */
  estimated: z.exactOptional(z.enum(estimateSources)),
  conflict: z.exactOptional(z.enum(usageConflicts)),
  unpriced: z.exactOptional(z.string()),
  anomaly: z.exactOptional(z.enum(usageAnomalies)),
  /** What is unpriced or could not be read, and what to report instead. */
  detail: z.exactOptional(z.string()),
  issues: z.exactOptional(z.array(z.string())),
  /** What is wrong with the prefix; the event was counted, its prefix was not kept. */
  prefixIssues: z.exactOptional(z.array(z.string())),
});

/** See {@link usageResultSchema}. */
export type UsageResult = Shape<typeof usageResultSchema>;

/** The answer to a report of usage; one result per event, in order. */
export const usageResponseSchema = z.object({ results: z.array(usageResultSchema) });

/**
 * Every token of one request exactly once on the input side, and the output with the part of it that was reasoning.
 * Input total = uncached + read + write5m + write30m + write1h + write12h. Writes are by lifetime of the cache entry.
 */
export const tokenPartitionSchema = z
  .object({
    uncached: z.number(),
    read: z.number(),
    write5m: z.number(),
    write30m: z.number(),
    write1h: z.number(),
    write12h: z.number(),
    /** All output tokens, reasoning included. */
    output: z.number(),
    /** The part of `output` that was reasoning; never more than `output`. */
    reasoning: z.number(),
  })
  .meta({ id: "TokenPartition" });

/** See {@link tokenPartitionSchema}. */
export type TokenPartition = Shape<typeof tokenPartitionSchema>;

/** Why an event has no price. */
export const unpricedReasons = [
  "unknown_model",
  "unknown_tier",
  "unknown_modifier", // A speed, a region or another word beside the counts that may change the price.
  "unknown_cache_price",
  "unknown_modality_price", // Audio or image tokens.
  "unknown_tool_price", // Requests to a tool of the provider, e.g. web searches.
  "unknown_step_price", // The prompt is above a size from which on another price holds.
] as const;

/** A report with its partition and its price. What stands beside the counts is kept too, as it explains the price. */
export const usageEventSchema = usageReportSchema
  .omit({ usage: true, shape: true, at: true, prefix: true, diagnostics: true })
  .extend({
    at: instantSchema,
    assignments: rolloutAssignmentsSchema.exactOptional(),
    tokens: tokenPartitionSchema,
    /** What is charged: the exact cost, or an estimate where `estimated` says so. */
    costMicroUsd: microUsdSchema,
    /** The cost is not known, and this is where the charged amount comes from. */
    estimated: z.exactOptional(z.enum(estimateSources)),
    /** It takes the place of every earlier event with its provider, budget and id. */
    revises: z.exactOptional(z.literal(true)),
    /** It contradicts an earlier report of its id; the higher cost stands. */
    conflict: z.exactOptional(z.enum(usageConflicts)),
    /** Who set the cost, and why. */
    correction: z.exactOptional(z.object({ by: z.string(), reason: z.string() })),
    /** The shape that was read, or that came nearest. */
    shape: z.exactOptional(z.enum(usageShapes)),
    /** Names of the members of a usage object that could not be read. */
    usageKeys: z.exactOptional(z.string()),
    /** What else decides the price, as the provider said it. */
    speed: z.exactOptional(z.string()),
    geography: z.exactOptional(z.string()),
    /** Requests to tools of the provider, by name. */
    tools: z.exactOptional(z.record(z.string(), z.number())),
    /** Why it has no price. */
    unpriced: z.exactOptional(z.enum(unpricedReasons)),
    /** Why its usage could not be read; its tokens are unknown then, not none. */
    anomaly: z.exactOptional(z.enum(usageAnomalies)),
    /** What is unpriced or could not be read, and what to report instead. */
    detail: z.exactOptional(z.string()),
    /** Why the provider's cache was missed, where that is known. */
    cacheMiss: z.exactOptional(cacheMissSchema),
  })
  .meta({ id: "UsageEvent" });

/** See {@link usageEventSchema}. */
export type UsageEvent = Shape<typeof usageEventSchema>;
