import { z } from "zod";
import type { Alert, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Instant } from "../core/clock.ts";
import { shortLine } from "../core/one-line.ts";

/** Limits of one notification. Labels and annotations have none of their own: the body's limit binds them, as Prometheus binds none of them. */
export const notificationCaps = {
  // More than fit into the largest body: a storm is never refused for its number.
  alerts: 100_000,
  /** A fingerprint is a part of the names of keys. */
  fingerprintCharacters: 256,
  /** A start or an end further ahead than this is a wrong clock. */
  futureMs: 5 * 60_000,
} as const;

/** An alert as it was received. */
export interface ReceivedAlert {
  readonly alert: Alert;
  /** A sentence when its times lay in the future; the time of receipt stands in for them. */
  readonly clockFault?: string;
}

/** An alert that cannot be used; the others of its list can. */
export interface UnreadableAlert {
  /** As far as it could be read; empty when it could not. */
  readonly fingerprint: string;
  /** A sentence: where the alert is wrong and what would be accepted. */
  readonly reason: string;
}

/** One webhook message: the state of a group, not a delta. */
export interface Notification {
  readonly receiver: string;
  readonly groupKey: string;
  /** Alerts that the sender left out; absent alerts say nothing. */
  readonly truncatedAlerts: number;
  readonly alerts: readonly ReceivedAlert[];
  /** Alerts of the same message that cannot be used. */
  readonly unreadable: readonly UnreadableAlert[];
}

/** A notification, or every reason (at most 20) why the body can never be one. */
export type ParsedNotification =
  | { readonly ok: true; readonly notification: Notification }
  | { readonly ok: false; readonly issues: readonly string[] };

const instantPattern = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** RFC 3339 with up to nanoseconds; the zero time of Go becomes undefined. */
const timestamp = z
  .string()
  .max(40)
  .transform((text, context): Instant | undefined => {
    const at = instantPattern.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(at)) {
      context.addIssue({ code: "custom", message: "expected an RFC 3339 time such as 2026-01-02T03:04:05.678Z" });
      return z.NEVER;
    }
    return text.startsWith("0001-01-01T00:00:00") ? undefined : at;
  });

const noNul = (text: string) => !text.includes("\0");

/** `__proto__` and its like are labels as any other: own fields of a plain object, never its prototype. */
const labels = z
  .unknown()
  .transform((value, context): Labels => {
    const refuse = (message: string) => {
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    };
    if (value === null || typeof value !== "object" || Array.isArray(value)) return refuse("expected an object of strings");
    const fields: [string, string][] = [];
    for (const [name, text] of Object.entries(value)) {
      if (name === "" || !noNul(name)) return refuse("a name is empty or holds NUL");
      if (typeof text !== "string" || !noNul(text)) return refuse(`expected text without NUL as the value of ${shortLine(name, 80)}`);
      fields.push([name, text]);
    }
    return Object.fromEntries(fields);
  })
  .meta({ type: "object", additionalProperties: { type: "string" } });

/** What decides nothing must not cost an alert: such a field counts as absent when it cannot be read. */
const alertSchema = z.object({
  status: z.enum(["firing", "resolved"]),
  labels,
  annotations: labels.nullish(),
  startsAt: timestamp,
  endsAt: timestamp.optional(),
  generatorURL: z.string().catch(""),
  fingerprint: z.string().min(1).max(notificationCaps.fingerprintCharacters).refine(noNul, "expected text without NUL"),
});

const envelopeFields = {
  version: z.string(),
  orgId: z.number().optional(),
  receiver: z.string().catch(""),
  groupKey: z.string().catch(""),
  truncatedAlerts: z.int().min(0).catch(0),
};

/** What Alertmanager (version "4") and Grafana Alerting (version "1" with an orgId) send, for the description. Unknown fields are dropped: senders add some without a new version. */
export const notificationSchema = z.object({
  version: z.string(),
  orgId: z.number().optional(),
  receiver: z.string().optional(),
  groupKey: z.string().optional(),
  truncatedAlerts: z.int().min(0).optional(),
  alerts: z.array(alertSchema.extend({ generatorURL: z.string().optional() })).max(notificationCaps.alerts),
});

/** The message around its alerts, which are read one by one. */
const envelopeSchema = z
  .object({ ...envelopeFields, alerts: z.array(z.unknown()).max(notificationCaps.alerts) })
  .refine((body) => body.version === "4" || (body.version === "1" && body.orgId !== undefined), {
    path: ["version"],
    message: 'expected "4", the version of Alertmanager\'s webhook, or Grafana Alerting\'s "1" with orgId',
  });

/**
 * Reads a webhook's body. Its alerts are read one by one, so that one that cannot be used costs no other. Times ahead of `receivedAt` are not trusted
 * for ordering: the time of receipt stands in, and the alert is flagged.
 */
export function parseNotification(body: unknown, receivedAt: Instant): ParsedNotification {
  const parsed = envelopeSchema.safeParse(body);
  if (!parsed.success) return { ok: false, issues: placesOf(parsed.error, "body").slice(0, 20) };
  const { version, receiver, groupKey, truncatedAlerts } = parsed.data;
  const sender = version === "1" ? ({ sender: "grafana" } as const) : {};
  const alerts: ReceivedAlert[] = [];
  const unreadable: UnreadableAlert[] = [];
  for (const item of parsed.data.alerts) {
    const alert = alertSchema.safeParse(withoutForecast(item));
    if (alert.success) alerts.push(receive(alert.data, sender, receivedAt));
    else unreadable.push(unreadableAlert(item, alert.error));
  }
  return { ok: true, notification: { receiver, groupKey, truncatedAlerts, alerts, unreadable } };
}

/** A firing alert's end is a forecast of the sender's, not a fact, so that nothing depends on it. */
function withoutForecast(item: unknown): unknown {
  return typeof item === "object" && item !== null && "status" in item && item.status === "firing" && "endsAt" in item
    ? { ...item, endsAt: undefined }
    : item;
}

/** What is said of an item of a list of alerts that cannot be read, whoever listed it. */
export function unreadableAlert(item: unknown, error: z.ZodError): UnreadableAlert {
  const given = typeof item === "object" && item !== null && "fingerprint" in item ? item.fingerprint : undefined;
  const fingerprint = typeof given === "string" ? shortLine(given, notificationCaps.fingerprintCharacters) : "";
  const places = placesOf(error, "alert");
  const more = places.length > 3 ? `; and ${places.length - 3} more` : "";
  return { fingerprint, reason: `The alert cannot be read: ${places.slice(0, 3).join("; ")}${more}.` };
}

function placesOf(error: z.ZodError, whole: string): string[] {
  return error.issues.map((issue) => `${issue.path.join(".") || whole}: ${issue.message}`);
}

function receive(body: z.output<typeof alertSchema>, sender: Pick<Alert, "sender">, receivedAt: Instant): ReceivedAlert {
  const latest = receivedAt + notificationCaps.futureMs;
  const startsAt = body.startsAt ?? receivedAt;
  const endsAt = body.endsAt ?? receivedAt;
  const ahead = startsAt > latest || (body.status === "resolved" && endsAt > latest);
  const trusted = (at: Instant) => (at > latest ? receivedAt : at);
  const alert: Alert = {
    status: body.status,
    labels: body.labels,
    annotations: body.annotations ?? {},
    startsAt: trusted(startsAt),
    ...(body.status === "resolved" ? { endsAt: trusted(endsAt) } : {}),
    generatorUrl: body.generatorURL,
    fingerprint: body.fingerprint,
    ...sender,
  };
  return ahead
    ? { alert, clockFault: "The alert's time lies more than 5 minutes ahead of ours; the time of receipt was used." }
    : { alert };
}

/** One entry per fingerprint, in the order of first appearance: of several the newest by time speaks, and at equal times a resolve. */
export function newestPerFingerprint(alerts: readonly ReceivedAlert[]): ReceivedAlert[] {
  const newest = new Map<string, ReceivedAlert>();
  for (const received of alerts) {
    const other = newest.get(received.alert.fingerprint);
    if (other === undefined || isNewer(received.alert, other.alert)) newest.set(received.alert.fingerprint, received);
  }
  return [...newest.values()];
}

function isNewer(candidate: Alert, other: Alert): boolean {
  const difference = (candidate.endsAt ?? candidate.startsAt) - (other.endsAt ?? other.startsAt);
  return difference > 0 || (difference === 0 && candidate.status === "resolved");
}
