import type { Alert, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Matcher } from "../../packages/sdk/src/wire/runbooks.ts";
import type { Instant } from "../core/clock.ts";
import type { UnreadableAlert } from "./notification.ts";

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

/** Which alerts are asked for; absent: all. What does not fit into one question is left out, which only makes the answer longer. */
export interface AlertQuestion {
  /** Alerts that carry all of these labels. */
  readonly labels?: Labels;
  /** Alerts that are routed to one of these receivers. */
  readonly receivers?: readonly string[];
  /** Alerts that satisfy all of these. */
  readonly matchers?: readonly Matcher[];
}

/** The alerts that Alertmanager holds, with those of them that cannot be read, or why it could not be asked. */
export type StandingAlerts =
  | { readonly kind: "alerts"; readonly alerts: readonly StandingAlert[]; readonly unreadable: readonly UnreadableAlert[] }
  | { readonly kind: "unavailable"; readonly reason: string /** A narrower question may be answered. */; readonly tooLarge?: true };
