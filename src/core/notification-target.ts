import type { Instant } from "./clock.ts";

/** A URL that is given what is told as JSON. */
export interface WebhookTarget {
  readonly kind: "webhook";
  readonly name: string;
  readonly url: string;
  /** With credentials. */
  readonly headers: Readonly<Record<string, string>>;
}

/** An incoming webhook of Slack, or of whatever takes Slack's (Mattermost, Rocket.Chat, Discord's `/slack`). Its URL is a secret. */
export interface SlackTarget {
  readonly kind: "slack";
  readonly name: string;
  readonly url: string;
}

/** A service of PagerDuty, reached by the Events API v2. */
export interface PagerDutyTarget {
  readonly kind: "pagerduty";
  readonly name: string;
  readonly url: string;
  readonly routingKey: string;
  readonly severity: "critical" | "error" | "warning" | "info";
}

/** Who is told beside the mail addresses of a group. Never stored: a row of the outbox only names it. */
export type NotificationTarget = WebhookTarget | SlackTarget | PagerDutyTarget;

/** The name of a target in its group, e.g. `slack/ops`; what an outbox row holds. */
export function targetIdOf({ kind, name }: Pick<NotificationTarget, "kind" | "name">): string {
  return `${kind}/${name}`;
}

/** What is told. Its texts are composed and clean. */
export interface Notification {
  /** Equal for every delivery of the same: the receiver's idempotency or deduplication key. */
  readonly key: string;
  readonly about: "message" | "review";
  readonly group: string;
  readonly runId: string;
  readonly subject: string;
  readonly text: string;
  /** The page of the run, at the step that it is about; absent without a public address. */
  readonly page?: string;
  readonly putAt: Instant;
}

/** What the receiver said. `retry` is false when a repetition cannot succeed. */
export type NotificationDelivery =
  | { readonly kind: "sent" }
  | {
      readonly kind: "failed";
      readonly retry: boolean;
      readonly error: string;
      /** Earliest useful retry, from Retry-After. */
      readonly retryAfterMs?: number;
    };

/** Hands notifications to one kind of receiver. Never rejects for what a receiver does. */
export interface Notifier<Target extends NotificationTarget> {
  send(target: Target, notification: Notification): Promise<NotificationDelivery>;
}

/** One notifier a kind. */
export interface Notifiers {
  readonly webhook: Notifier<WebhookTarget>;
  readonly slack: Notifier<SlackTarget>;
  readonly pagerduty: Notifier<PagerDutyTarget>;
}
