import type { Alert } from "../../packages/sdk/src/wire/alerts.ts";
import type { Instant } from "../core/clock.ts";

/** One active alert of Alertmanager, with what it does about it. */
export interface StandingAlert {
  readonly alert: Alert;
  readonly state: "active" | "suppressed" | "unprocessed";
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
  /** Names of the receivers that its routes lead to. */
  readonly receivers: readonly string[];
}

/** What an Alertmanager says about itself. */
export interface AlertmanagerStatus {
  /** When its process started; it remembers no alert from before. */
  readonly startedAt: Instant;
  /** Names of the receivers that call a runbookd (or, where their addresses are hidden, any webhook); undefined when it shows no configuration. */
  readonly receivers: readonly string[] | undefined;
}

/** Every alert that Alertmanager holds, or why it could not be asked. */
export type StandingAlerts =
  | { readonly kind: "alerts"; readonly alerts: readonly StandingAlert[] }
  | { readonly kind: "unavailable"; readonly reason: string };
