import type { Decision } from "../../packages/sdk/src/wire/alerts.ts";

/** Where a notification came from. */
export type AlertSource = "webhook" | "poll";

/** What happens with alerts: one was decided and its decision is durable; happens once per decision that is answered. */
export interface AlertEvent {
  readonly kind: "alert_decided";
  readonly decision: Decision;
  readonly source: AlertSource;
}
