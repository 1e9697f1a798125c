import type { Decision } from "../../packages/sdk/src/wire/alerts.ts";
import type { Instant } from "../core/clock.ts";
import { hourMs } from "../core/duration.ts";
import type { EventSink } from "../core/event.ts";
import type { Log } from "../core/log.ts";
import type { AlertEvent } from "./alert-event.ts";
import type { AlertMetrics } from "./metrics.ts";

/** The metrics of alerts, and the counter in which guardrails count what they refuse. */
type DecisionMetrics = Pick<AlertMetrics, "alerts"> & { readonly refusals: { inc(labels: { readonly guardrail: string }): void } };

/** Turns decisions about alerts into metrics and log lines. */
export function createAlertEventSink(metrics: DecisionMetrics, log: Log, now: () => Instant): EventSink<AlertEvent> {
  const isRepeated = createRepeatFilter(now);
  return ({ decision, source }) => {
    const isUnreadable = decision.decision === "unreadable";
    // Every poll repeats what is known: logged is what it starts, which has a metric of its own, and what it cannot read.
    if (source === "poll" && decision.decision !== "enqueued" && !isUnreadable) return;
    if (source === "webhook" || isUnreadable) metrics.alerts.inc({ decision: decision.decision });
    if (decision.guardrail !== undefined) metrics.refusals.inc({ guardrail: decision.guardrail });
    if (isRepeated(decision)) return;
    if (isUnreadable) log.warn({ ...decision, source }, "An alert cannot be read; the others of its list are decided.");
    else log.info({ ...decision, source }, "An alert was decided.");
  };
}

/** A pause that goes on is logged again after this long. */
const pauseRepeatMs = 12 * hourMs;
const maxPausedAlerts = 10_000;

/** Whether an alert is still paused for the reason that was logged: a freeze that lasts leaves a handful of lines, not one for each repeat. */
function createRepeatFilter(now: () => Instant): (decision: Decision) => boolean {
  const paused = new Map<string, { readonly reason: string | undefined; readonly at: Instant }>();
  return ({ fingerprint, runbook, decision, reason }) => {
    const key = `${fingerprint} ${runbook ?? ""}`;
    const before = paused.get(key);
    if (decision !== "paused") {
      paused.delete(key);
      return false;
    }
    if (before !== undefined && before.reason === reason && now() - before.at < pauseRepeatMs) return true;
    paused.delete(key);
    paused.set(key, { reason, at: now() });
    const [oldest] = paused.keys();
    if (paused.size > maxPausedAlerts && oldest !== undefined) paused.delete(oldest);
    return false;
  };
}
