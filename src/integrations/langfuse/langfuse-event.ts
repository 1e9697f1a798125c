import { z } from "zod";
import type { Alert } from "../../../packages/sdk/src/wire/alerts.ts";
import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import type { Notification } from "../../alerts/notification.ts";
import type { Instant } from "../../core/clock.ts";
import { sha256 } from "../../core/json.ts";

const id = z.string().min(1).max(200);

const eventSchema = z.looseObject({
  type: z.string().max(60),
  timestamp: z.iso.datetime({ offset: true }).optional(),
  payload: z.unknown().optional(),
});

const monitorSchema = z.looseObject({
  monitorId: id,
  projectId: id,
  permalink: z.string().max(2000).optional(),
  message: z.looseObject({ title: z.string(), body: z.string().default("") }),
  severity: z.string().max(40),
  timestamp: z.iso.datetime({ offset: true }),
});

/** What a webhook of Langfuse says, as far as it matters here. `other`: nothing to do, and no fault of the sender's; applications hear of a changed prompt when they ask. */
export type LangfuseEvent =
  | { readonly kind: "alert"; readonly notification: Notification }
  | { readonly kind: "other" }
  | { readonly kind: "invalid"; readonly issues: readonly string[] };

const severities: Readonly<Record<string, "critical" | "warning">> = { ALERT: "critical", WARNING: "warning" };
const maxText = 1000;

/**
 * Reads one event. A monitor that is over its threshold fires `LangfuseMonitor` and one that is back resolves it; that it has no data says neither.
 * A monitor is one alert, whatever its severity. https://langfuse.com/docs/metrics/features/monitors
 */
export function readLangfuseEvent(value: unknown, now: Instant): LangfuseEvent {
  const event = eventSchema.safeParse(value);
  if (!event.success) return { kind: "invalid", issues: issuesOf(event.error) };
  if (event.data.type !== "monitor-alert") return { kind: "other" };
  const monitor = monitorSchema.safeParse(event.data.payload);
  if (!monitor.success) return { kind: "invalid", issues: issuesOf(monitor.error) };
  const { monitorId, projectId, permalink = "", message, severity, timestamp } = monitor.data;
  const isOver = severity === "OK";
  const level = severities[severity];
  if (!isOver && level === undefined) return { kind: "other" };
  // A clock ahead of ours must not make an alert of the future.
  const at = Math.min(Date.parse(timestamp), now);
  const identity = { alertname: "LangfuseMonitor", monitor_id: monitorId, project_id: projectId };
  const alert: Alert = {
    status: isOver ? "resolved" : "firing",
    labels: { ...identity, ...(level !== undefined && { severity: level }) },
    annotations: { summary: message.title.slice(0, maxText), description: message.body.slice(0, maxText) },
    startsAt: at,
    ...(isOver && { endsAt: at }),
    generatorUrl: permalink,
    fingerprint: sha256(canonicalJson(identity)).slice(0, 16),
    sender: "langfuse",
  };
  return {
    kind: "alert",
    notification: { receiver: "langfuse", groupKey: `langfuse/${monitorId}`, truncatedAlerts: 0, alerts: [{ alert }], unreadable: [] },
  };
}

function issuesOf(error: z.ZodError): string[] {
  return error.issues.slice(0, 20).map((issue) => `${issue.path.join(".") || "(whole)"}: ${issue.message}`);
}
