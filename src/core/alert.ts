import type { Instant } from "./clock.ts";

/** Exactly Alertmanager's meaning. Labels and annotations are untrusted text. */
export type Labels = Readonly<Record<string, string>>;

/** One alert of a notification. */
export interface Alert {
  readonly status: "firing" | "resolved";
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: Instant;
  /** Absent while firing (Alertmanager sends the zero time). */
  readonly endsAt?: Instant;
  readonly generatorUrl: string;
  /** Alertmanager's hash of the label set, hex. */
  readonly fingerprint: string;
  /** Absent: an Alertmanager, which can be asked how the alert stands. */
  readonly sender?: "grafana" | "langfuse";
}

/** The label that marks an alert of `runbookd alert test`; its run only observes. */
export const testAlertLabel = "runbookd_test";

/** Whether somebody sent this alert only to see where it goes. */
export function isTestAlert(labels: Labels): boolean {
  return labels[testAlertLabel] === "true";
}

/** What intake did with one alert; exactly one per alert. */
export type DecisionKind = "enqueued" | "joined" | "resolved" | "stale" | "unmatched" | "refused" | "paused";

export const decisionKinds: readonly DecisionKind[] = ["enqueued", "joined", "resolved", "stale", "unmatched", "refused", "paused"];

/** The answer for one alert of a webhook. */
export interface Decision {
  readonly fingerprint: string;
  readonly decision: DecisionKind;
  readonly runbook?: string;
  readonly runId?: string;
  readonly reason?: string;
  /** The guardrail that refused or paused it. */
  readonly guardrail?: string;
}
