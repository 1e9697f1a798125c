import type { Clock } from "../core/clock.ts";
import type { Outbox } from "../core/outbox.ts";
import { gauge, type MetricRegistry } from "../platform/telemetry/declare-metric.ts";
import type { Observing } from "../platform/telemetry/exposition.ts";

/** The metrics of notifications. */
export type NotificationMetrics = ReturnType<typeof declareNotificationMetrics>;

/** Declares the metrics of notifications in `registry`. */
export function declareNotificationMetrics(registry: MetricRegistry) {
  return {
    mailOldest: gauge(registry, {
      name: "runbookd_mail_oldest_seconds",
      help: "Age of the oldest mail that has not been handed over; 0 when there is none.",
    }),
  };
}

/** Shows at every scrape how long the oldest notification has been waiting. */
export function observeOutbox(
  metrics: Observing & NotificationMetrics,
  { outbox, clock }: { readonly outbox: Pick<Outbox, "status">; readonly clock: Pick<Clock, "now"> },
): void {
  metrics.observe([metrics.mailOldest], async () => {
    const { oldestPutAt } = await outbox.status();
    metrics.mailOldest.set(oldestPutAt === undefined ? 0 : Math.max(0, (clock.now() - oldestPutAt) / 1000));
  });
}
