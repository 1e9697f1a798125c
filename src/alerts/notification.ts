import { z } from "zod";
import type { Alert, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Instant } from "../core/clock.ts";

/** Caps of one notification; beyond them the body can never be valid. */
export const notificationCaps = {
  // More than fit into the largest body: a storm is never refused for its number.
  alerts: 100_000,
  /** Of one alert, and likewise of annotations. */
  labels: 64,
  nameCharacters: 256,
  labelValueBytes: 1024,
  /** Longer annotations are cut: they are text for people and must not cost an alert. */
  annotationCharacters: 8192,
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

/** One webhook message: the state of a group, not a delta. */
export interface Notification {
  readonly receiver: string;
  readonly groupKey: string;
  /** Alerts that the sender left out; absent alerts say nothing. */
  readonly truncatedAlerts: number;
  readonly alerts: readonly ReceivedAlert[];
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
function labelSet(fit: (value: string) => string | undefined, accepted: string) {
  return z
    .unknown()
    .transform((value, context): Labels => {
      const refuse = (message: string) => {
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      };
      if (value === null || typeof value !== "object" || Array.isArray(value)) return refuse("expected an object of strings");
      const entries = Object.entries(value);
      if (entries.length > notificationCaps.labels) return refuse(`expected at most ${notificationCaps.labels} entries`);
      const fields: [string, string][] = [];
      for (const [name, text] of entries) {
        if (name === "" || name.length > notificationCaps.nameCharacters || !noNul(name))
          return refuse("a name is empty, too long or holds NUL");
        const fitted = typeof text === "string" && noNul(text) ? fit(text) : undefined;
        if (fitted === undefined) return refuse(accepted);
        fields.push([name, fitted]);
      }
      return Object.fromEntries(fields);
    })
    .meta({ type: "object", additionalProperties: { type: "string" } });
}

const labels = labelSet(
  (value) => (Buffer.byteLength(value) <= notificationCaps.labelValueBytes ? value : undefined),
  `expected every value to be text of at most ${notificationCaps.labelValueBytes} bytes without NUL`,
);

const annotations = labelSet(
  (value) => (value.length > notificationCaps.annotationCharacters ? `${value.slice(0, notificationCaps.annotationCharacters)}…` : value),
  "expected every value to be text without NUL",
);

const alertSchema = z.object({
  status: z.enum(["firing", "resolved"]),
  labels,
  annotations: annotations.optional(),
  startsAt: timestamp,
  endsAt: timestamp.optional(),
  generatorURL: z.string().max(8192).optional(),
  fingerprint: z.string().min(1).max(notificationCaps.fingerprintCharacters).refine(noNul, "expected text without NUL"),
});

/** What Alertmanager (version "4") and Grafana Alerting (version "1" with an orgId) send. Unknown fields are dropped: senders add some without a new version. */
export const notificationSchema = z
  .object({
    version: z.string(),
    orgId: z.number().optional(),
    receiver: z.string().max(4096).optional(),
    groupKey: z.string().max(262_144).optional(),
    truncatedAlerts: z.int().min(0).optional(),
    alerts: z.array(alertSchema).max(notificationCaps.alerts),
  })
  .refine((body) => body.version === "4" || (body.version === "1" && body.orgId !== undefined), {
    path: ["version"],
    message: 'expected "4", the version of Alertmanager\'s webhook, or Grafana Alerting\'s "1" with orgId',
  });

/** Reads a webhook's body. Times ahead of `receivedAt` are not trusted for ordering: the time of receipt stands in, and the alert is flagged. */
export function parseNotification(body: unknown, receivedAt: Instant): ParsedNotification {
  const parsed = notificationSchema.safeParse(body);
  if (!parsed.success) {
    const issues = parsed.error.issues.slice(0, 20).map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`);
    return { ok: false, issues };
  }
  const { version, receiver = "", groupKey = "", truncatedAlerts = 0, alerts } = parsed.data;
  const sender = version === "1" ? ({ sender: "grafana" } as const) : {};
  const received = alerts.map((alert) => receive(alert, sender, receivedAt));
  return { ok: true, notification: { receiver, groupKey, truncatedAlerts, alerts: received } };
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
    // A firing alert's end is a forecast of the sender's, not a fact.
    ...(body.status === "resolved" ? { endsAt: trusted(endsAt) } : {}),
    generatorUrl: body.generatorURL ?? "",
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
