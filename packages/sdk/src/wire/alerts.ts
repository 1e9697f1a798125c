import { z } from "zod";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** Exactly Alertmanager's meaning. Labels and annotations are untrusted text. */
const labelsSchema = z.record(z.string(), z.string());

/** See {@link Alert}. */
export type Labels = Shape<typeof labelsSchema>;

/** One alert of a notification. */
export const alertSchema = z
  .object({
    status: z.enum(["firing", "resolved"]),
    labels: labelsSchema,
    annotations: labelsSchema,
    startsAt: instantSchema,
    /** Absent while firing (Alertmanager sends the zero time). */
    endsAt: z.exactOptional(instantSchema),
    generatorUrl: z.string(),
    /** Alertmanager's hash of the label set, hex. */
    fingerprint: z.string(),
    /** Absent: an Alertmanager, which can be asked how the alert stands. */
    sender: z.exactOptional(z.enum(["grafana", "langfuse"])),
  })
  .meta({ id: "Alert" });

/** See {@link alertSchema}. */
export type Alert = Shape<typeof alertSchema>;

/** What intake did with one alert; exactly one per alert. `unreadable`: it cannot be used, and the others of its message can. */
export const decisionKinds = ["enqueued", "joined", "resolved", "stale", "unmatched", "refused", "paused", "unreadable"] as const;

/** The answer for one alert of a webhook. */
export const decisionSchema = z.object({
  /** Empty when an unreadable alert has none. */
  fingerprint: z.string(),
  decision: z.enum(decisionKinds),
  runbook: z.exactOptional(z.string()),
  runId: z.exactOptional(z.string()),
  reason: z.exactOptional(z.string()),
  /** The guardrail that refused or paused it. */
  guardrail: z.exactOptional(z.string()),
  /** When the guardrail no longer refuses it; absent: not by waiting. */
  retryAt: z.exactOptional(instantSchema),
});

/** See {@link decisionSchema}. */
export type Decision = Shape<typeof decisionSchema>;

/** The answer to a webhook. */
export const decisionsSchema = z.object({ decisions: z.array(decisionSchema) });

/** A decision as it is kept: with its alert, and how often it was repeated. Labels are cut to a few short ones and hold no secret. */
export const keptDecisionSchema = decisionSchema.extend({
  id: z.string(),
  /** When it was first decided so. */
  at: instantSchema,
  /** When it was last decided so. */
  lastAt: instantSchema,
  /** How many notifications in a row were decided so. */
  count: z.number(),
  source: z.enum(["webhook", "poll"]),
  /** The alert's name; absent when the alert has none or cannot be read. */
  alertName: z.exactOptional(z.string()),
  labels: z.exactOptional(labelsSchema),
  startsAt: z.exactOptional(instantSchema),
});

/** See {@link keptDecisionSchema}. */
export type KeptDecision = Shape<typeof keptDecisionSchema>;

/** A decision with a sentence for people that says why, and one that says what would change it. */
export const explainedDecisionSchema = keptDecisionSchema.extend({
  why: z.string(),
  /** Absent when nothing needs to change: a run began, or the alert has ended. */
  remedy: z.exactOptional(z.string()),
});

/** See {@link explainedDecisionSchema}. */
export type ExplainedDecision = Shape<typeof explainedDecisionSchema>;

/** What is kept of a notification that was refused, so that a person can see what the sender gets wrong. */
export const rejectedNotificationSchema = z.object({
  at: instantSchema,
  status: z.number(),
  detail: z.string(),
  issues: z.array(z.string()),
  /** Redacted and cut. */
  body: z.string(),
});

/** See {@link rejectedNotificationSchema}. */
export type RejectedNotification = Shape<typeof rejectedNotificationSchema>;
