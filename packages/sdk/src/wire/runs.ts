import { z } from "zod";
import { alertSchema } from "./alerts.ts";
import { jsonSchema } from "./json.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** How far a run may go without a person. */
export const modes = ["observe", "approve", "auto"] as const;

/** See {@link modes}. */
export type Mode = (typeof modes)[number];

/** Of a finished run. `ineffective`: verification false. `inconclusive`: could not see. */
export const outcomes = ["succeeded", "ineffective", "inconclusive", "failed", "stood_down", "aborted", "undone"] as const;

/** See {@link outcomes}. */
export type Outcome = (typeof outcomes)[number];

/** Where a run is. Only `ended` has an outcome. `damaged`: its record cannot be read, and no worker touches it. */
export const runStates = ["queued", "running", "suspended", "in_doubt", "damaged", "ended"] as const;

/** See {@link runStates}. */
export type RunState = (typeof runStates)[number];

const sources = ["webhook", "poll", "manual", "rerun"] as const;

/** What a run was started with; the first entry of its journal and never changed. */
export const runRequestSchema = z.object({
  runbookId: z.string(),
  /** Hash of the pinned runbook bytes. */
  runbookSha: z.string(),
  mode: z.enum(modes),
  target: z.exactOptional(z.string()),
  params: z.record(z.string(), jsonSchema),
  /** Absent when a person started it. */
  alert: z.exactOptional(alertSchema),
  source: z.enum(sources),
  requester: z.exactOptional(z.string()),
});

/** See {@link runRequestSchema}. */
export type RunRequest = Shape<typeof runRequestSchema>;

/** The projection of a journal, for listing. The journal is the truth. */
export const runSummarySchema = z
  .object({
    id: z.string(),
    runbookId: z.string(),
    runbookSha: z.string(),
    mode: z.enum(modes),
    state: z.enum(runStates),
    outcome: z.exactOptional(z.enum(outcomes)),
    target: z.exactOptional(z.string()),
    alertName: z.exactOptional(z.string()),
    source: z.enum(sources),
    acceptedAt: instantSchema,
    endedAt: z.exactOptional(instantSchema),
    /** Name of the step that is being worked on or waited for; a check or a post-action by its number, e.g. `Verification 2`. */
    step: z.exactOptional(z.string()),
    /** Why it waits or ended, for people. */
    note: z.exactOptional(z.string()),
  })
  .meta({ id: "RunSummary" });

/** See {@link runSummarySchema}. */
export type RunSummary = Shape<typeof runSummarySchema>;

/** An id or a target in a request: short text. */
const name = z.string().min(1).max(256);

/** What a person starts a run with. */
export const newRunSchema = z.strictObject({
  runbook: name,
  params: z.record(z.string().max(100), jsonSchema).default({}),
  /** At most the runbook's own mode. */
  mode: z.enum(modes).optional(),
});

/** Why a person ends a run. */
export const runAbortSchema = z.strictObject({ reason: z.string().trim().min(1).max(1000) });

/** The run that was started, stopped or woken. */
export const runReferenceSchema = z.object({ runId: z.string() });
