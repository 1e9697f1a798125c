import { z } from "zod";
import { failureSchema } from "./failures.ts";
import { jsonSchema } from "./json.ts";
import { endEventSchema } from "./page.ts";
import { actionOutputSchema, effects, planSchema, risks } from "./plans.ts";
import { answerSchema, questionSchema } from "./questions.ts";
import { outcomes, runRequestSchema, runSummarySchema } from "./runs.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** Three-valued truth. Inconclusive is never success. */
export const truths = ["true", "false", "inconclusive"] as const;

/** See {@link truths}. */
export type Truth = (typeof truths)[number];

/** What a check looked at. */
export const checkSubjectSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("prerequisite"), index: z.number() }),
  z.object({ kind: z.literal("expected"), step: z.string() }),
  z.object({ kind: z.literal("verification"), index: z.number() }),
]);

/** See {@link checkSubjectSchema}. */
export type CheckSubject = Shape<typeof checkSubjectSchema>;

const step = z.string();
const attempt = z.number();
const why = z.string();
const reason = z.string();
const failure = failureSchema;
const outcome = z.enum(outcomes);

/** Every entry carries `at`; entries written by a worker carry the epoch of its lease. */
function entry<Kind extends string, Fields extends z.ZodRawShape>(kind: Kind, fields: Fields) {
  return z.object({ kind: z.literal(kind), at: instantSchema, epoch: z.exactOptional(z.number()), ...fields });
}

/** One entry of the append-only record of a run; a run's state is what its journal says. */
export const journalEntrySchema = z
  .discriminatedUnion("kind", [
    entry("accepted", { runId: z.string(), request: runRequestSchema }),
    entry("claimed", { worker: z.string() }),
    /** Tracked metrics: name → value, or null when it could not be seen. */
    entry("sampled", { values: z.record(z.string(), z.number().nullable()) }),
    entry("intent", {
      step,
      action: z.string(),
      effect: z.enum(effects),
      /** Of the action with these parameters; absent in a journal of an earlier version. */
      risk: z.exactOptional(z.enum(risks)),
      attempt,
      /** Counts changes of the idempotency key. */
      group: z.number(),
      /** Written by earlier versions; it follows from the run's id, the step and the group. */
      idempotencyKey: z.exactOptional(z.string()),
      plan: planSchema,
      /** Hash of the plan that a person has permitted; earlier versions wrote it without a permission too. */
      planSha: z.exactOptional(z.string()),
    }),
    /** The effect is done (or was found done: `found`); its result awaits Expected, if any. */
    entry("applied", { step, attempt, output: actionOutputSchema, found: z.exactOptional(z.enum(["probe", "person"])) }),
    /** The action goes on later. `early`: also before that time, when the run is claimed again. */
    entry("progressed", { step, attempt, progress: jsonSchema, until: instantSchema, early: z.exactOptional(z.literal(true)) }),
    entry("failed", { step, attempt, failure }),
    /** The step is over and the run goes on behind it. */
    entry("completed", { step }),
    entry("skipped", { step, why }),
    entry("checked", { subject: checkSubjectSchema, truth: z.enum(truths), detail: z.string(), value: z.exactOptional(jsonSchema) }),
    entry("suspended", { step: z.exactOptional(step), until: instantSchema, why }),
    entry("asked", { question: questionSchema }),
    /** Half of the time is over without an answer: the question was announced again, to more people. */
    entry("escalated", { questionId: z.string() }),
    entry("answered", { questionId: z.string(), answer: answerSchema }),
    /** A person allowed a fresh start of the step. */
    entry("retried", { step, why }),
    entry("jumped", { from: z.string(), to: z.string() }),
    /** A guardrail said no; `retryAt` when waiting may help. `plan` is what would have been done. */
    entry("refused", {
      step,
      guardrail: z.string(),
      reason,
      retryAt: z.exactOptional(instantSchema),
      plan: z.exactOptional(planSchema),
    }),
    /** A freeze holds the step (or its undo) back until it is lifted. */
    entry("frozen", { step, scope: z.string(), by: z.string(), reason }),
    /** Before the first change: how the alert stood. */
    entry("preflight", { standing: z.enum(["firing", "silenced", "gone", "unknown"]), detail: z.string() }),
    entry("resolved", { why }),
    /** Further alerts are dealt with by this run; `count`: how many so far. `repeats`: steps that begin afresh because of them. */
    entry("joined", { count: z.number(), why, repeats: z.array(step) }),
    entry("stop_requested", { by: z.string(), reason }),
    entry("undo_started", { why, outcome }),
    entry("undo_intent", { step, attempt, idempotencyKey: z.exactOptional(z.string()) }),
    /** `note` when there was nothing to undo, or a person let it be. `kept`: it was not undone, because it lowers risk or spend. */
    entry("undone", { step, note: z.exactOptional(z.string()), kept: z.exactOptional(z.literal("lowers")) }),
    entry("undo_failed", { step, attempt, failure }),
    /** What the run came to; actions of Post-Action follow, then `finished`. */
    entry("concluded", { outcome, reason, failure: z.exactOptional(failure) }),
    entry("finished", { outcome, reason, failure: z.exactOptional(failure) }),
  ])
  .meta({ id: "JournalEntry" });

/** See {@link journalEntrySchema}. */
export type JournalEntry = Shape<typeof journalEntrySchema>;

/** One run with everything that is known about it. */
export const runRecordSchema = z.object({
  summary: runSummarySchema,
  journal: z.array(journalEntrySchema),
  /** The pinned bytes; absent when they are gone. */
  runbookSource: z.exactOptional(z.string()),
  /** The post-incident review as plain text, once there is one. */
  report: z.exactOptional(z.object({ text: z.string() })),
});

/** See {@link runRecordSchema}. */
export type RunRecord = Shape<typeof runRecordSchema>;

/** One event of a run's stream: each entry under the name of its kind, `end` as the last. */
export const runEventSchema = z.union([endEventSchema, z.object({ event: z.string(), data: journalEntrySchema })]);
