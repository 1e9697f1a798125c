import type { Alert } from "../../../packages/sdk/src/wire/alerts.ts";

/**
 * How an alert stands. `gone`: no Alertmanager that answered holds it any more. `unknown`: none answered.
 * `detail` is one sentence without its end, for the journal.
 */
export interface StandingResult {
  readonly kind: "firing" | "silenced" | "gone" | "unknown";
  readonly detail: string;
}

/** Asks the Alertmanagers how an alert stands. Rejects only with the signal's reason. */
export interface AlertStanding {
  ask(alert: Pick<Alert, "fingerprint" | "labels">, signal: AbortSignal): Promise<StandingResult>;
}
