import type { Alert, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Instant } from "../core/clock.ts";
import { type Notification, parseNotification } from "./notification.ts";
import type { StandingAlert } from "./standing-alert.ts";

/** What decides whether a listed alert should have reached us. */
export interface PollRules {
  isMatched(labels: Labels): boolean;
  /** Whether one of these receivers calls us. */
  callsUs(receivers: readonly string[]): boolean;
  /** Fingerprints that an Alertmanager silences or inhibits. */
  readonly muted: ReadonlySet<string>;
  readonly now: Instant;
}

/** The fingerprints of alerts that are silenced or inhibited. */
export function mutedBy(polled: readonly StandingAlert[]): ReadonlySet<string> {
  return new Set(polled.filter((one) => one.silencedBy.length > 0 || one.inhibitedBy.length > 0).map(({ alert }) => alert.fingerprint));
}

/**
 * The alerts that a webhook should have told us of, as a webhook would have: active ones that a runbook matches and a route sends to us. What
 * any Alertmanager silences or inhibits is left out; what a webhook could not have read is named as unreadable here too.
 */
export function notificationOfPoll(polled: readonly StandingAlert[], rules: PollRules): Notification {
  const parsed = polled
    .filter(
      ({ alert, state, receivers }) =>
        state === "active" && !rules.muted.has(alert.fingerprint) && rules.callsUs(receivers) && rules.isMatched(alert.labels),
    )
    .map(({ alert }) => receive(alert, rules.now));
  return {
    receiver: "",
    groupKey: "poll",
    truncatedAlerts: 0,
    alerts: parsed.flatMap(({ alerts }) => alerts),
    unreadable: parsed.flatMap(({ unreadable }) => unreadable),
  };
}

/** The notification that says that these alerts have ended now. */
export function notificationOfEnds(alerts: readonly Alert[], now: Instant): Notification {
  const ended = alerts.map((alert) => ({ alert: { ...alert, status: "resolved" as const, endsAt: now } }));
  return { receiver: "", groupKey: "poll", truncatedAlerts: 0, alerts: ended, unreadable: [] };
}

/** Through the same gate as a webhook's body, one by one, so that one bad alert costs no other. */
function receive(
  { labels, annotations, startsAt, generatorUrl, fingerprint }: Alert,
  now: Instant,
): Pick<Notification, "alerts" | "unreadable"> {
  const alert = {
    status: "firing",
    labels,
    annotations,
    startsAt: new Date(startsAt).toISOString(),
    generatorURL: generatorUrl,
    fingerprint,
  };
  const parsed = parseNotification({ version: "4", alerts: [alert] }, now);
  return parsed.ok ? parsed.notification : { alerts: [], unreadable: [{ fingerprint, reason: parsed.issues.join("; ") }] };
}
