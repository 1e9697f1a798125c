import type { Notification, NotificationDelivery, NotificationTarget, Notifiers } from "../../src/core/notification-target.ts";

/** What a notifier was handed. */
export interface Told {
  readonly target: NotificationTarget;
  readonly notification: Notification;
}

/** Notifiers that answer from a list, then with success, and keep what they were handed. */
export function scriptedNotifiers(answers: NotificationDelivery[] = []): Notifiers & { readonly told: readonly Told[] } {
  const told: Told[] = [];
  const notifier = {
    async send(target: NotificationTarget, notification: Notification): Promise<NotificationDelivery> {
      told.push({ target, notification });
      return answers.shift() ?? { kind: "sent" };
    },
  };
  return { webhook: notifier, slack: notifier, pagerduty: notifier, told };
}
