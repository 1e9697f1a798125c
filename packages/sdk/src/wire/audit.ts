import { z } from "zod";
import { jsonSchema } from "./json.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** What people did, what they were refused, and the hashes of evidence. What runs did otherwise is in their journals. */
export const auditKinds = [
  "answered",
  "answer_refused",
  "run_started",
  "run_aborted",
  "run_resumed",
  "run_repeated",
  "run_refused",
  "runs_ended",
  "batch_submitted",
  "batch_changed",
  "batch_refused",
  "frozen",
  "unfrozen",
  "token_created",
  "token_revoked",
  "prompt_version_created",
  "prompt_label_moved",
  "prompt_label_refused",
  "prompt_canary_set",
  "prompt_honeytoken_made",
  "finding_noted",
  "findings_imported",
  "route_set",
  "flag_set",
  "flag_refused",
  "rollout_created",
  "rollout_started",
  "rollout_grown",
  "rollout_held",
  "rollout_taken_back",
  "rollout_refused",
  "ticket_quality_set",
  "evidence_sealed",
  "signed_in",
  "signed_out",
] as const;

/** See {@link auditKinds}. */
export type AuditKind = (typeof auditKinds)[number];

/** One act of a person. Holds no secret. */
export const auditEntrySchema = z.object({
  at: instantSchema,
  kind: z.enum(auditKinds),
  /** The name of the caller's token; of a change that was found in a file: where it was found. */
  by: z.string(),
  /** What it was done to: id of a question, a run or a batch, scope of a freeze, name of a token. */
  subject: z.string(),
  detail: z.record(z.string(), jsonSchema),
});

/** See {@link auditEntrySchema}. */
export type AuditEntry = Shape<typeof auditEntrySchema>;

/** One record with its place; `index` goes on counting when the oldest records are dropped. */
export const auditRecordSchema = auditEntrySchema.extend({ index: z.number() });

/** See {@link auditRecordSchema}. */
export type AuditRecord = Shape<typeof auditRecordSchema>;

/** `runs` and `entries` are how many were recomputed, up to the first broken one. */
export const auditVerdictSchema = z.object({
  ok: z.boolean(),
  runs: z.number(),
  entries: z.number(),
  /** The first record of a hash chain that is not what was written there; of a run's journal, else of the audit log. */
  broken: z.exactOptional(z.object({ run: z.exactOptional(z.string()), index: z.number(), what: z.string() })),
});

/** See {@link auditVerdictSchema}. */
export type AuditVerdict = Shape<typeof auditVerdictSchema>;
