import { decisionKinds } from "../../packages/sdk/src/wire/alerts.ts";
import type { Instant } from "../core/clock.ts";
import type { EventSink } from "../core/event.ts";
import { counter, gauge, histogram, type MetricRegistry } from "../platform/telemetry/declare-metric.ts";
import type { PollEvent } from "./poll.ts";

/** The metrics of alerts. */
export type AlertMetrics = ReturnType<typeof declareAlertMetrics>;

/** HTTP statuses that the webhook answers; anything else would be a defect and counts as 500. */
const notificationCodes = ["202", "400", "401", "413", "500", "503"] as const;

/** Declares the metrics of alerts in `registry`: what came, and what was decided. */
export function declareAlertMetrics(registry: MetricRegistry) {
  return {
    notifications: counter(registry, {
      name: "runbookd_notifications_total",
      help: "Webhook messages by the HTTP status that answered them.",
      labels: ["code"],
      initialLabels: notificationCodes.map((code) => ({ code })),
    }),
    alerts: counter(registry, {
      name: "runbookd_alerts_total",
      help: "Alerts of accepted webhook messages by the decision taken; `unreadable` counts those of polls too, once each.",
      labels: ["decision"],
      initialLabels: decisionKinds.map((decision) => ({ decision })),
    }),
    pollDiscrepancies: counter(registry, {
      name: "runbookd_poll_found_total",
      help: "What webhooks should have told and a look at Alertmanager found: firing alerts that were missed, and ends that open runs had not heard of.",
      labels: ["found"],
      initialLabels: [{ found: "missed" }, { found: "resolved" }],
    }),
    pollLastSuccess: gauge(registry, {
      name: "runbookd_poll_last_success_timestamp_seconds",
      help: "When this Alertmanager was last asked for its alerts with success; absent before the first time.",
      labels: ["alertmanager"],
    }),
    webhookDuration: histogram(registry, {
      name: "runbookd_webhook_duration_seconds",
      help: "From the first byte of a webhook message to its answer.",
      // Under 5 ms is one durable write; 10 s is where Alertmanager gives up.
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
  };
}

/** Turns what happens at a poll into metrics. */
export function createPollEventSink(
  metrics: Pick<AlertMetrics, "pollDiscrepancies" | "pollLastSuccess">,
  now: () => Instant,
): EventSink<PollEvent> {
  return (event) => {
    if (event.kind === "poll_corrected") metrics.pollDiscrepancies.inc({ found: event.found }, event.count);
    else metrics.pollLastSuccess.set({ alertmanager: event.alertmanager }, now() / 1000);
  };
}

/** Counts a webhook message that was answered with `status` after `seconds`. */
export function countNotification(metrics: AlertMetrics, status: number, seconds: number): void {
  metrics.notifications.inc({ code: String(status) });
  metrics.webhookDuration.observe(seconds);
}
