import { z } from "zod";
import { outcomes } from "../../packages/sdk/src/wire/runs.ts";

/*
 * What a command reads of runbookd's answers. Objects stay open: an older command must read a newer runbookd.
 */

/** RFC 9457. */
export const problemSchema = z.looseObject({ title: z.string(), detail: z.string().optional(), issues: z.array(z.string()).optional() });

/** One line of a list of runs. */
export const runSummarySchema = z.looseObject({
  id: z.string(),
  runbookId: z.string(),
  mode: z.string(),
  state: z.string(),
  outcome: z.enum(outcomes).or(z.string()).optional(),
  target: z.string().optional(),
  alertName: z.string().optional(),
  acceptedAt: z.number(),
  endedAt: z.number().optional(),
  step: z.string().optional(),
  note: z.string().optional(),
});

/** One line of a journal. */
export const journalEntrySchema = z.looseObject({ kind: z.string(), at: z.number() });

/** One run with its journal. */
export const runRecordSchema = z.looseObject({
  summary: runSummarySchema,
  journal: z.array(journalEntrySchema),
  report: z.looseObject({ text: z.string() }).optional(),
});

/** One page of a list. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.looseObject({ items: z.array(item), nextCursor: z.string().optional() });
}

/** The answer to start, abort, resume and rerun. */
export const runReplySchema = z.looseObject({ runId: z.string() });

/** What was decided about one alert, newest first. */
export const decisionsSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      fingerprint: z.string(),
      decision: z.string(),
      source: z.string(),
      runbook: z.string().optional(),
      runId: z.string().optional(),
      reason: z.string().optional(),
    }),
  ),
});

/** One question to a person. */
export const questionSchema = z.looseObject({
  id: z.string(),
  runId: z.string(),
  runbookId: z.string(),
  stepId: z.string(),
  kind: z.string(),
  text: z.string(),
  answers: z.array(z.string()),
  planSha: z.string().optional(),
  askedAt: z.number(),
  expiresAt: z.number().optional(),
  of: z.number().optional(),
});

/** A question with how many people must still approve; absent from an older server. */
export const askedSchema = z.looseObject({ question: questionSchema, missing: z.number().optional() });

/** The answer to an answer: `missing` above 0 when more people must approve. */
export const answeredSchema = z.looseObject({ runId: z.string(), runIds: z.array(z.string()).optional(), missing: z.number().optional() });

/** One act of a person. */
export const auditRecordSchema = z.looseObject({
  index: z.number(),
  at: z.number(),
  kind: z.string(),
  by: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
});

/** What came of recomputing the hash chains. */
export const auditVerdictSchema = z.looseObject({
  ok: z.boolean(),
  runs: z.number(),
  entries: z.number(),
  broken: z.looseObject({ run: z.string().optional(), index: z.number(), what: z.string() }).optional(),
});

/** One batch of tickets; an older server tells no state and no progress. */
export const batchSchema = z.looseObject({
  id: z.string(),
  budget: z.string(),
  queue: z.string(),
  state: z.string().default("open"),
  gate: z.string(),
  reason: z.string().optional(),
  spentMicroUsd: z.number(),
  reservedMicroUsd: z.number().default(0),
  concurrencyNow: z.number().nullable().default(null),
  counts: z.record(z.string(), z.number()),
  progress: z
    .looseObject({
      tickets: z.number(),
      ended: z.number(),
      perMinute: z.number().nullable(),
      etaAt: z.number().nullable(),
      forecastMicroUsd: z.number(),
    })
    .optional(),
  stop: z.looseObject({ hold: z.string(), detail: z.string() }).nullish(),
});

/** References that belong to tickets already. */
export const referencesSchema = z.looseObject({
  items: z.array(z.looseObject({ reference: z.string(), ticketId: z.string(), state: z.string() })),
});

/** How many tickets of a request were new. */
export const addedSchema = z.looseObject({ added: z.number() });

/** What a draft will probably cost. */
export const quoteSchema = z.looseObject({
  estimate: z.looseObject({
    tickets: z.number(),
    p50MicroUsd: z.number(),
    p90MicroUsd: z.number(),
    kinds: z.array(
      z.looseObject({
        kind: z.string(),
        tickets: z.number(),
        p50MicroUsd: z.number(),
        p90MicroUsd: z.number(),
        n: z.number(),
        from: z.string(),
      }),
    ),
  }),
  room: z.looseObject({ fits: z.boolean(), arithmetic: z.string(), shareOfRemaining: z.number() }),
});

/** How one prompt is cached on one model: an analysis, or what is missing for one. */
export const cacheStateSchema = z.looseObject({
  prompt: z.string(),
  provider: z.string(),
  model: z.string(),
  at: z.number(),
  versions: z.array(z.looseObject({ version: z.string().nullable(), requests: z.number(), hit: z.number() })).default([]),
  misses: z.array(z.looseObject({ reason: z.string(), requests: z.number() })).default([]),
  reply: z.looseObject({
    kind: z.string(),
    sentence: z.string().optional(),
    analysis: z
      .looseObject({
        measuredHit: z.number(),
        achievableHit: z.number().optional(),
        predictedHit: z.number(),
        lostPerDay: z.number(),
        contradictory: z.number().default(0),
        blocked: z.string().optional(),
        calibration: z.looseObject({ verdict: z.string(), sentence: z.string() }),
        causes: z.array(
          z.looseObject({
            unit: z.string(),
            class: z.string(),
            transform: z.string(),
            sentence: z.string(),
            evidence: z.looseObject({ example: z.array(z.string()).optional() }).optional(),
            hitAfter: z.number(),
            savedAfterMicroUsdPerDay: z.number(),
          }),
        ),
      })
      .optional(),
  }),
});

/** How prompts are cached, and which told nothing that it could be judged by. */
export const cachesSchema = pageSchema(cacheStateSchema).extend({
  unsampled: z.array(z.looseObject({ prompt: z.string(), model: z.string(), requests: z.number(), hit: z.number() })).default([]),
});

/** Something that was found out, and what a person said of it. */
export const findingSchema = z.looseObject({
  id: z.string(),
  severity: z.string(),
  title: z.string(),
  status: z.string(),
  note: z.looseObject({ by: z.string(), reason: z.string() }).nullable(),
});

/** A prompt with its newest versions. */
export const promptStateSchema = z.looseObject({
  name: z.string(),
  latest: z.number(),
  labels: z.record(z.string(), z.number()),
  canary: z.looseObject({ version: z.number(), share: z.number() }).nullable(),
  versions: z.array(
    z.looseObject({
      version: z.number(),
      status: z.string(),
      labels: z.array(z.string()),
      origin: z.string(),
      note: z.string(),
      createdAt: z.number(),
      createdBy: z.string(),
    }),
  ),
});

/** One version of a prompt. */
export const promptVersionSchema = z.looseObject({
  prompt: z.string(),
  version: z.number(),
  layout: z.looseObject({
    layers: z.array(
      z.looseObject({
        key: z.string(),
        role: z.string(),
        stability: z.string(),
        render: z.string(),
        canonical: z.boolean().optional(),
      }),
    ),
    breakpoints: z.array(z.looseObject({ afterLayer: z.string(), ttl: z.string() })),
  }),
  origin: z.string(),
  parent: z.number().optional(),
  note: z.string(),
  createdAt: z.number(),
  createdBy: z.string(),
});

/** A label that was moved. */
export const movedLabelSchema = z.looseObject({ label: z.string(), before: z.number().nullable(), after: z.number().nullable() });

const modelRef = z.object({ provider: z.string(), model: z.string() });

/** One route of models. */
export const modelRouteSchema = z.looseObject({
  id: z.string(),
  version: z.number(),
  baseline: modelRef,
  candidate: modelRef.extend({ share: z.number(), salt: z.string() }).nullable(),
  fallback: z.array(modelRef),
  at: z.number(),
  by: z.string(),
  reason: z.string(),
});

/** One change of the workload. */
export const workloadChangeShape = z.looseObject({
  kind: z.string(),
  ref: z.string(),
  at: z.number(),
  by: z.string(),
  dims: z.record(z.string(), z.string()),
});

const factorChange = z.looseObject({ factor: z.string(), changeMicroUsd: z.number(), share: z.number(), times: z.number() });
const topElement = z.looseObject({ element: z.string(), costMicroUsd: z.number(), changeMicroUsd: z.number(), share: z.number() });
const comparedWindows = {
  sentence: z.string(),
  from: z.number(),
  to: z.number(),
  baselineFrom: z.number(),
  baselineTo: z.number(),
};

/** Why cost rose between two windows, or why that cannot be told. */
export const costExplanationSchema = z.discriminatedUnion("kind", [
  z.looseObject({ ...comparedWindows, kind: z.literal("incomplete") }),
  z.looseObject({
    ...comparedWindows,
    kind: z.literal("explained"),
    verdict: z.string(),
    beganAt: z.number(),
    coincides: z.array(workloadChangeShape),
    advice: z.string().optional(),
    costMicroUsd: z.number(),
    baselineMicroUsd: z.number(),
    segment: z.record(z.string(), z.string()),
    segmentCostMicroUsd: z.number(),
    segmentBaselineMicroUsd: z.number(),
    factors: z.array(factorChange),
    top: z.record(z.string(), z.array(topElement)),
  }),
]);

/** One freeze. */
export const freezeSchema = z.looseObject({ scope: z.string(), by: z.string(), reason: z.string(), at: z.number(), undo: z.boolean() });

/** Every freeze that stands. */
export const freezeListSchema = z.looseObject({ items: z.array(freezeSchema) });

/** See {@link cacheStateSchema}. */
export type CacheStateShape = z.infer<typeof cacheStateSchema>;
/** See {@link promptVersionSchema}. */
export type PromptVersionShape = z.infer<typeof promptVersionSchema>;
/** See {@link modelRouteSchema}. */
export type ModelRouteShape = z.infer<typeof modelRouteSchema>;
/** See {@link freezeSchema}. */
export type FreezeShape = z.infer<typeof freezeSchema>;
/** See {@link decisionsSchema}. */
export type DecisionShape = z.infer<typeof decisionsSchema>["items"][number];
/** See {@link batchSchema}. */
export type BatchShape = z.infer<typeof batchSchema>;
/** See {@link quoteSchema}. */
export type QuoteShape = z.infer<typeof quoteSchema>;
/** See {@link runSummarySchema}. */
export type RunSummaryShape = z.infer<typeof runSummarySchema>;
/** See {@link journalEntrySchema}. */
export type JournalEntryShape = z.infer<typeof journalEntrySchema>;
/** See {@link askedSchema}. */
export type AskedShape = z.infer<typeof askedSchema>;
