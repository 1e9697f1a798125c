import { z } from "zod";
import { promptNameSchema, rolloutIdSchema, shortNameSchema } from "./names.ts";
import { modelRefSchema, routeIdSchema } from "./routing.ts";
import type { Shape } from "./shape.ts";
import { instantSchema, microUsdSchema } from "./units.ts";

/** What a rollout changes for a growing share of the tickets. A prompt's `from` and `to` are versions, a flag's are variants. */
export const rolloutSubjectSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("model"), route: routeIdSchema, from: modelRefSchema, to: modelRefSchema }),
  z.strictObject({ kind: z.literal("prompt"), prompt: promptNameSchema, from: z.int().min(1), to: z.int().min(1) }),
  z.strictObject({ kind: z.literal("flag"), flag: shortNameSchema, from: z.string().min(1).max(60), to: z.string().min(1).max(60) }),
]);

/** See {@link rolloutSubjectSchema}. */
export type RolloutSubject = Shape<typeof rolloutSubjectSchema>;

const shareSchema = z.number().gt(0).max(1);

/** How a rollout grows and what it must show. Durations are milliseconds, ratios are 0 to 1. */
export const rolloutPlanSchema = z.strictObject({
  /** Shares of the tickets, each larger than the one before. */
  steps: z
    .array(shareSchema)
    .min(1)
    .max(12)
    .refine(
      (steps) => steps.every((share, index) => index === 0 || share > (steps[index - 1] ?? 0)),
      "shares that grow, such as 0.1, 0.5, 1",
    )
    .default([0.05, 0.1, 0.25, 0.5, 1]),
  /** Shortest time of one step. */
  intervalMs: z.int().min(1),
  /** Canary tickets that must have ended within a step before the next one. */
  minPerStep: z.int().min(1).max(100_000).default(30),
  /** Quality may be worse by less than this. */
  margin: z.number().gt(0).lt(1).default(0.1),
  /** Cost per success may be at most this multiple of the baseline's. Null: cost is not a criterion. */
  costLimit: z.number().gt(0).max(100).nullable().default(1.1),
  /** Tickets of both arms at which the intervals are narrowest. */
  plannedTickets: z.int().min(30).max(1_000_000).default(600),
  /** Tickets of both arms after which a person decides. */
  maxTickets: z.int().min(30).max(200_000).default(3000),
  /** Share that keeps the old variant at the last step, as a control of the same hours. */
  holdback: z.number().min(0).lt(1).default(0.05),
  /** A ticket that has not ended so long after its exposure counts as failed. */
  deadlineMs: z.int().min(1),
  /** How long after its end the quality of a ticket may be revised. */
  lagMs: z.int().min(0),
  /** PromQL that must return no series; one that does takes the rollout back. */
  guards: z.array(z.string().min(1).max(4000)).max(10).default([]),
});

/** See {@link rolloutPlanSchema}. */
export type RolloutPlan = Shape<typeof rolloutPlanSchema>;

/** Where a rollout is: `planned` has no share yet; `running` and `holding` are live; the other three are ends. */
export const rolloutStates = ["planned", "running", "holding", "promoted", "rolled_back", "aborted"] as const;

/** One decision about a rollout, with the arithmetic that led to it. */
export const rolloutDecisionSchema = z.object({
  at: instantSchema,
  decision: z.enum(["advance", "stay", "hold", "roll_back", "finish", "abort"]),
  /** Closed names such as `quality_worse`; see `RolloutReason`. */
  reason: z.string(),
  /** For people. */
  detail: z.string(),
  step: z.number(),
  share: z.number(),
  by: z.string(),
});

/** See {@link rolloutDecisionSchema}. */
export type RolloutDecision = Shape<typeof rolloutDecisionSchema>;

/** One rollout. */
export const rolloutSchema = z
  .object({
    id: z.string(),
    subject: rolloutSubjectSchema,
    plan: rolloutPlanSchema,
    /** Mixed into the hash that assigns tickets. */
    salt: z.string(),
    state: z.enum(rolloutStates),
    /** Index into `plan.steps`; -1 before the first. */
    step: z.number(),
    stepSince: instantSchema,
    /** Largest share that was ever set. */
    largestShare: z.number(),
    /** Newest last; at most 200. */
    decisions: z.array(rolloutDecisionSchema),
    /** Counts changes from 1 on. */
    version: z.number(),
    by: z.string(),
    /** What a person accepted who let it go on after a hold: only what came since then holds it again. */
    accepted: z.exactOptional(z.object({ logEvalue: z.number(), misassigned: z.number() })),
    /** The run that drives it; absent when a person does. */
    runId: z.string().optional(),
    createdAt: instantSchema,
    endedAt: instantSchema.optional(),
  })
  .meta({ id: "Rollout" });

/** See {@link rolloutSchema}. */
export type Rollout = Shape<typeof rolloutSchema>;

/** Which arm of a rollout a ticket is in, as the application saw it when it assigned the ticket. */
export const rolloutAssignmentSchema = z.strictObject({
  rollout: rolloutIdSchema,
  arm: z.enum(["baseline", "canary"]),
  /** The canary's share that the application had then: it names the step, however late the application hears of a change. If unset, the share now. */
  share: z.number().min(0).max(1).exactOptional(),
});

/** See {@link rolloutAssignmentSchema}. */
export type RolloutAssignment = Shape<typeof rolloutAssignmentSchema>;

/** The rollouts that a ticket is in; each names an arm. */
export const rolloutAssignmentsSchema = z.array(rolloutAssignmentSchema).max(5);

/** What one arm did within one step. A ticket stays in the step and arm of its exposure. */
export const armCountsSchema = z.object({
  /** Tickets that were admitted. */
  exposed: z.number(),
  /** Of them, those that ended or passed the deadline; not those that were cancelled. */
  ended: z.number(),
  /** Of the ended ones, those that succeeded, whatever their quality became; those that passed the deadline, which is a failure. */
  succeeded: z.exactOptional(z.number()),
  overdue: z.exactOptional(z.number()),
  /** Tickets that were cancelled: they say nothing about their arm. */
  cancelled: z.exactOptional(z.number()),
  /** Sum and sum of squares of their quality, each 0 to 1. */
  quality: z.number(),
  qualitySquares: z.number(),
  /** Sum of their cost, failed attempts included. */
  costMicroUsd: microUsdSchema,
  /** Sum of the squares of their cost, in micro-USD squared; not exact. */
  costSquares: z.number(),
  /** Sum of cost times quality of each, in micro-USD: a ticket that fails may well be the one that costs. */
  costQuality: z.number(),
  /** Of the ended, those of which no cost is known, or only a part. They add nothing to the sums of cost; with one of them the arm's cost is unknown. */
  unpriced: z.number(),
});

/** See {@link armCountsSchema}. */
export type ArmCounts = Shape<typeof armCountsSchema>;

/** One step of a rollout: both arms under one share. */
export const rolloutStratumSchema = z.object({
  step: z.number(),
  /** The canary's share during the step. */
  share: z.number(),
  canary: armCountsSchema,
  baseline: armCountsSchema,
});

/** See {@link rolloutStratumSchema}. */
export type RolloutStratum = Shape<typeof rolloutStratumSchema>;

/** One arm in figures for people. */
const judgedArmSchema = z.object({
  exposed: z.number(),
  ended: z.number(),
  /** Mean quality of the ended; null: none has ended. */
  quality: z.number().nullable(),
  /** Mean cost of the ended, micro-USD and not rounded; null: none has ended, or of one the cost is unknown. */
  meanCostMicroUsd: z.number().nullable(),
});

/** One step of a rollout as it enters the verdict. */
export const judgedStratumSchema = z.object({
  step: z.number(),
  share: z.number(),
  canary: judgedArmSchema,
  baseline: judgedArmSchema,
  /** `c·b/(c+b)` of the ended tickets; 0 when an arm has none. */
  weight: z.number(),
  /** Quality of the canary minus the baseline's within this step; null when an arm has no ended ticket. */
  difference: z.number().nullable(),
  /** What this step adds to the logarithm of the split's e-value. */
  logEvalue: z.number(),
});

/** See {@link judgedStratumSchema}. */
export type JudgedStratum = Shape<typeof judgedStratumSchema>;

/** Cost per success of the canary against the baseline's. `free`: no ticket of the canary cost anything. */
export const rolloutCostSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("compared"),
    /** Natural logarithm of the ratio, canary to baseline. */
    logRatio: z.number(),
    /** Half widths of its intervals that hold at every look, each with its one-sided error: 5 % for "dear", 2 % for "cheap". */
    halfWidthDear: z.number(),
    halfWidthCheap: z.number(),
    /** Whether the ratio is shown to be above, or below, the plan's limit. Both false without a limit. */
    shownDear: z.boolean(),
    shownCheap: z.boolean(),
  }),
  z.object({ kind: z.literal("free") }),
  z.object({ kind: z.literal("unknown"), because: z.enum(["unpriced", "too_few", "baseline_free", "no_success"]) }),
]);

/** See {@link rolloutCostSchema}. */
export type RolloutCost = Shape<typeof rolloutCostSchema>;

/** What the counts of a rollout show: every figure that leads to a decision. */
export const rolloutVerdictSchema = z
  .object({
    /** Ended tickets of both arms. */
    tickets: z.number(),
    canary: judgedArmSchema,
    baseline: judgedArmSchema,
    strata: z.array(judgedStratumSchema),
    /** Null: in no step has a ticket of each arm ended. */
    quality: z
      .object({
        /** Canary minus baseline, weighted over the steps. */
        difference: z.number(),
        /** Half width of its interval that holds at every look. */
        halfWidth: z.number(),
        /** How much worse the canary may still be: `max(0, halfWidth − difference)`. */
        harm: z.number(),
        shownWorse: z.boolean(),
      })
      .nullable(),
    cost: rolloutCostSchema,
    split: z.object({
      /** Natural logarithm of the e-value against "tickets are split as the shares say". */
      logEvalue: z.number(),
      /** `1/e`, at most 1: the chance of ever coming so far when the split is right. */
      pValue: z.number(),
      broken: z.boolean(),
    }),
    catastrophe: z.object({
      /** Chance of at least this many failures among the canary's first tickets if it were equal; null: there are too few tickets, or it is no longer asked. */
      chance: z.number().nullable(),
      shown: z.boolean(),
    }),
    /** Whether each arm has the 30 ended tickets that the intervals need. */
    sufficient: z.boolean(),
  })
  .meta({ id: "RolloutVerdict" });

/** See {@link rolloutVerdictSchema}. */
export type RolloutVerdict = Shape<typeof rolloutVerdictSchema>;

/** A rollout that is asked for; the variant that tickets get now becomes its `from`. */
export const newRolloutSchema = z.strictObject({
  /** If unset, one is made. */
  id: rolloutIdSchema.optional(),
  subject: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("model"), route: routeIdSchema, to: modelRefSchema }),
    z.strictObject({ kind: z.literal("prompt"), prompt: promptNameSchema, to: z.int().min(1) }),
    z.strictObject({ kind: z.literal("flag"), flag: shortNameSchema, to: z.string().min(1).max(60) }),
  ]),
  plan: rolloutPlanSchema,
  reason: z.string().trim().min(1).max(300),
});

/** See {@link newRolloutSchema}; the defaulted members of the plan may be left out. */
export type NewRolloutInput = z.input<typeof newRolloutSchema>;

/** Why a person starts, holds or takes back a rollout; others read it. */
export const rolloutStepSchema = z.strictObject({ reason: z.string().trim().min(1).max(300) });

/** A rollout as a list shows it: its newest decision only. */
export const rolloutSummarySchema = rolloutSchema
  .omit({ decisions: true })
  .extend({ decision: z.exactOptional(rolloutDecisionSchema) })
  .meta({ id: "RolloutSummary" });

/** See {@link rolloutSummarySchema}. */
export type RolloutSummary = Shape<typeof rolloutSummarySchema>;

/** A rollout with what it has counted, and every figure that the counts lead to. */
export const rolloutViewSchema = z
  .object({
    rollout: rolloutSchema,
    strata: z.array(rolloutStratumSchema),
    /** Tickets in an arm that the hash forbids; they are in no stratum. */
    misassigned: z.number(),
    verdict: rolloutVerdictSchema,
  })
  .meta({ id: "RolloutView" });

/** See {@link rolloutViewSchema}. */
export type RolloutView = Shape<typeof rolloutViewSchema>;

/** A late judgement of one ticket. */
export const ticketQualitySchema = z.strictObject({
  /** 1 for accepted, 0 for not, or a judge's score between. */
  quality: z.number().min(0).max(1),
  reason: z.string().trim().min(1).max(300),
});

/** See {@link ticketQualitySchema}. */
export type TicketQuality = Shape<typeof ticketQualitySchema>;

/** What became of a late judgement; `rollouts`: how many count the ticket. */
export const qualityRevisionSchema = z.object({ result: z.enum(["revised", "unchanged"]), rollouts: z.number() });
