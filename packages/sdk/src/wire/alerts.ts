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
});

/** See {@link decisionSchema}. */
export type Decision = Shape<typeof decisionSchema>;

/** The answer to a webhook. */
export const decisionsSchema = z.object({ decisions: z.array(decisionSchema) });

/** A decision with its circumstances. */
export const recentDecisionSchema = decisionSchema.extend({ at: instantSchema, source: z.enum(["webhook", "poll"]) });

/** See {@link recentDecisionSchema}. */
export type RecentDecision = Shape<typeof recentDecisionSchema>;

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
