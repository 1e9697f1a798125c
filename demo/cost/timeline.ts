import type { Instant } from "../../src/core/clock.ts";
import type { MicroUsd } from "../../src/core/money.ts";
import type { ToldCause } from "../journal-checks.ts";

/** What the demo saw from outside; absent means: not seen. */
export interface Observations {
  /** Normal tickets were finished before anything went wrong. */
  trafficAt?: Instant | undefined;
  /** The release with the bug went out. */
  stormAt?: Instant | undefined;
  /** Prometheus' own API said firing. */
  alertFiringAt?: Instant | undefined;
  /** The webhook was accepted durably. */
  acceptedAt?: Instant | undefined;
  /** The first effect was in the journal, and the budget's gate was seen closed. */
  firstEffectAt?: Instant | undefined;
  /** The provider billed its last call before it fell silent. */
  spendStoppedAt?: Instant | undefined;
  culprit?: { readonly prompt: string; readonly operation: string } | undefined;
  culpritAt?: Instant | undefined;
  cause?: ToldCause | undefined;
  /** Attempts per ticket that the budget was seen to allow. */
  maxAttempts?: number | undefined;
  /** The gate was seen open again. */
  resumedAt?: Instant | undefined;
  /** Every verification was true, and Prometheus said so to us too. */
  verifiedAt?: Instant | undefined;
  /** The report arrived at the mail server. */
  reportSentAt?: Instant | undefined;
  outcome?: string | undefined;
  run?: string | undefined;
  ticketsStartedWhilePaused?: number | undefined;
  costMicroUsd?: MicroUsd | undefined;
  budgetMicroUsd?: MicroUsd | undefined;
  /** With `--kill-worker`: what the journal and the gate said about effects after the kill. */
  restart?: { readonly killedAt: Instant; readonly fault?: string } | undefined;
}

/** One stage of the loop, in order. */
export interface Stage {
  readonly key: keyof Observations;
  readonly label: string;
}

/** The stages of the loop. Each must be observed, or the demo has failed. */
export const stages: readonly Stage[] = [
  { key: "trafficAt", label: "Normal traffic runs on plan" },
  { key: "stormAt", label: "A release makes one prompt retry without end" },
  { key: "alertFiringAt", label: "Prometheus fires the burn-rate alert" },
  { key: "acceptedAt", label: "Alertmanager calls, runbookd accepts" },
  { key: "firstEffectAt", label: "The runbook closes the budget's gate" },
  { key: "spendStoppedAt", label: "The provider sees no more calls" },
  { key: "culpritAt", label: "The cause is named" },
  { key: "resumedAt", label: "Work goes on with limits" },
  { key: "verifiedAt", label: "The result is verified" },
  { key: "reportSentAt", label: "The report is mailed" },
];

/** The last line of `--json`; the names are a contract. Times are ISO 8601 in UTC, null when not observed. */
export function resultLine(seen: Observations): string {
  const iso = (at: Instant | undefined) => (at === undefined ? null : new Date(at).toISOString());
  return JSON.stringify({
    outcome: seen.outcome ?? null,
    alertFiringAt: iso(seen.alertFiringAt),
    acceptedAt: iso(seen.acceptedAt),
    firstEffectAt: iso(seen.firstEffectAt),
    spendStoppedAt: iso(seen.spendStoppedAt),
    resumedAt: iso(seen.resumedAt),
    verifiedAt: iso(seen.verifiedAt),
    reportSentAt: iso(seen.reportSentAt),
    culprit: seen.culprit ?? null,
    cause: seen.cause ?? null,
    ticketsStartedWhilePaused: seen.ticketsStartedWhilePaused ?? null,
    costMicroUsd: seen.costMicroUsd ?? null,
    budgetMicroUsd: seen.budgetMicroUsd ?? null,
    run: seen.run ?? null,
  });
}

/** What was broken on purpose: where, which factor of cost that raises, by which change, and the attempts that a ticket must be held to. */
export interface Injected {
  readonly prompt: string;
  readonly operation: string;
  readonly factor: string;
  readonly change: string;
  readonly maxAttempts: number;
}

/** What speaks against success, one sentence each; empty only when every stage was observed, in order, and the run succeeded. */
export function faultsOf(seen: Observations, injected: Injected): readonly string[] {
  const faults = stages.filter(({ key }) => seen[key] === undefined).map(({ label }) => `Not observed: ${label}.`);
  if (seen.outcome !== undefined && seen.outcome !== "succeeded") faults.push(`The run ended ${seen.outcome}.`);
  if (seen.outcome === undefined) faults.push("Not observed: the end of the run.");
  if (seen.culprit !== undefined && (seen.culprit.prompt !== injected.prompt || seen.culprit.operation !== injected.operation)) {
    faults.push(
      `The run named ${seen.culprit.prompt}/${seen.culprit.operation}, but the storm was injected in ${injected.prompt}/${injected.operation}.`,
    );
  }
  faults.push(...causeFaults(seen, injected));
  if (seen.ticketsStartedWhilePaused !== 0) {
    faults.push(`Tickets that started while the budget was paused: ${seen.ticketsStartedWhilePaused ?? "unknown"}; expected 0.`);
  }
  if (seen.restart?.fault !== undefined) faults.push(seen.restart.fault);
  if (seen.stormAt !== undefined && seen.alertFiringAt !== undefined && seen.alertFiringAt < seen.stormAt) {
    faults.push("The alert fired before anything was wrong.");
  }
  return faults;
}

function causeFaults({ cause, maxAttempts }: Observations, injected: Injected): readonly string[] {
  if (cause === undefined) return ["Not observed: the factor behind the rise."];
  const { segment, factor, coincides, controls } = cause;
  const told = [
    ["prompt", segment["prompt"], injected.prompt],
    ["operation", segment["operation"], injected.operation],
    ["factor", factor, injected.factor],
    ["change that coincides", coincides, injected.change],
    ["limit of attempts that follows", controls.maxAttempts, injected.maxAttempts],
    ["limit of attempts that was set", maxAttempts, injected.maxAttempts],
  ] as const;
  return told.flatMap(([what, is, expected]) => (is === expected ? [] : [`The ${what} is ${is ?? "not told"}; it should be ${expected}.`]));
}
