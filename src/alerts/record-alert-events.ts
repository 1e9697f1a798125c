import type { Instant } from "../core/clock.ts";
import type { EventSink } from "../core/event.ts";
import type { Log } from "../core/log.ts";
import type { AlertEvent } from "./alert-event.ts";
import type { AlertMetrics } from "./metrics.ts";
import type { RecentDecisions } from "./recent-decisions.ts";

/** The metrics of alerts, and the counter in which guardrails count what they refuse. */
type DecisionMetrics = Pick<AlertMetrics, "alerts"> & { readonly refusals: { inc(labels: { readonly guardrail: string }): void } };

/** Turns decisions about alerts into metrics and log lines, and keeps them for people who look where an alert went. */
export function createAlertEventSink(
  metrics: DecisionMetrics,
  log: Log,
  { decisions, now }: { readonly decisions: Pick<RecentDecisions, "add">; readonly now: () => Instant },
): EventSink<AlertEvent> {
  return ({ decision, source }) => {
    const isUnreadable = decision.decision === "unreadable";
    // Every poll repeats what is known: recorded is what it starts, which has a metric of its own, and what it cannot read.
    if (source === "poll" && decision.decision !== "enqueued" && !isUnreadable) return;
    if (source === "webhook" || isUnreadable) metrics.alerts.inc({ decision: decision.decision });
    if (decision.guardrail !== undefined) metrics.refusals.inc({ guardrail: decision.guardrail });
    decisions.add({ ...decision, source, at: now() });
    if (isUnreadable) log.warn({ ...decision, source }, "An alert cannot be read; the others of its list are decided.");
    else log.info({ ...decision, source }, "An alert was decided.");
  };
}
