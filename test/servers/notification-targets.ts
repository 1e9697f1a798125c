import type { Notification, PagerDutyTarget, SlackTarget, WebhookTarget } from "../../src/core/notification-target.ts";

/** A routing key as PagerDuty gives them: 32 characters. */
export const routingKey = "0123456789abcdef0123456789ABCDEF";

/** A Slack target. */
export function aSlackTarget(url = "https://hooks.example/services/secret"): SlackTarget {
  return { kind: "slack", name: "ops", url };
}

/** A webhook with a credential. */
export function aWebhookTarget(url = "https://hooks.example/hook"): WebhookTarget {
  return { kind: "webhook", name: "hub", url, headers: { authorization: "Bearer hub-token" } };
}

/** A PagerDuty service. */
export function aPagerDutyTarget(url = "https://events.example/v2/enqueue"): PagerDutyTarget {
  return { kind: "pagerduty", name: "primary", url, routingKey, severity: "critical" };
}

/** A notification, as the worker hands it on. */
export function aNotification(change: Partial<Notification> = {}): Notification {
  return {
    key: "question:q_1/slack/ops",
    about: "message",
    group: "oncall",
    runId: "run_1",
    subject: "runbookd needs an answer",
    text: "Resume?\nYes or no.",
    putAt: Date.UTC(2026, 0, 5, 12),
    ...change,
  };
}
