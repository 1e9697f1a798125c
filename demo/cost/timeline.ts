import type { Instant } from "../../src/core/clock.ts";
import type { MicroUsd } from "../../src/core/money.ts";
import { type BillComparison, billTolerance, differenceFromBill } from "../compare-bill.ts";
import type { ReportedCause } from "../journal-checks.ts";

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
  cause?: ReportedCause | undefined;
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
  /** What the provider billed and what we counted, at the end; the application went on meanwhile. */
  bill?: BillComparison | undefined;
  /** With `--kill-worker`: what the journal and the gate said about effects after the kill. */
  restart?: { readonly killedAt: Instant; readonly fault?: string } | undefined;
}

/** One stage of the loop, in order. */
export interface Milestone {
  readonly key: keyof Observations;
  readonly label: string;
}

/** The stages of the loop. Each must be observed, or the demo has failed. */
export const milestones: readonly Milestone[] = [
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
export function resultLine(observations: Observations): string {
  const iso = (at: Instant | undefined) => (at === undefined ? null : new Date(at).toISOString());
  return JSON.stringify({
    outcome: observations.outcome ?? null,
    alertFiringAt: iso(observations.alertFiringAt),
    acceptedAt: iso(observations.acceptedAt),
    firstEffectAt: iso(observations.firstEffectAt),
    spendStoppedAt: iso(observations.spendStoppedAt),
    resumedAt: iso(observations.resumedAt),
    verifiedAt: iso(observations.verifiedAt),
    reportSentAt: iso(observations.reportSentAt),
    culprit: observations.culprit ?? null,
    cause: observations.cause ?? null,
    ticketsStartedWhilePaused: observations.ticketsStartedWhilePaused ?? null,
    costMicroUsd: observations.costMicroUsd ?? null,
    budgetMicroUsd: observations.budgetMicroUsd ?? null,
    providerDifferenceRatio: observations.bill === undefined ? null : (differenceOf(observations.bill) ?? null),
    run: observations.run ?? null,
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
export function faultsOf(observations: Observations, injected: Injected): readonly string[] {
  const faults = milestones.filter(({ key }) => observations[key] === undefined).map(({ label }) => `Not observed: ${label}.`);
  if (observations.outcome !== undefined && observations.outcome !== "succeeded") faults.push(`The run ended ${observations.outcome}.`);
  if (observations.outcome === undefined) faults.push("Not observed: the end of the run.");
  if (
    observations.culprit !== undefined &&
    (observations.culprit.prompt !== injected.prompt || observations.culprit.operation !== injected.operation)
  ) {
    faults.push(
      `The run named ${observations.culprit.prompt}/${observations.culprit.operation}, but the storm was injected in ${injected.prompt}/${injected.operation}.`,
    );
  }
  faults.push(...causeFaults(observations, injected));
  if (observations.ticketsStartedWhilePaused !== 0) {
    faults.push(`Tickets that started while the budget was paused: ${observations.ticketsStartedWhilePaused ?? "unknown"}; expected 0.`);
  }
  faults.push(...billFaults(observations));
  if (observations.restart?.fault !== undefined) faults.push(observations.restart.fault);
  if (observations.stormAt !== undefined && observations.alertFiringAt !== undefined && observations.alertFiringAt < observations.stormAt) {
    faults.push("The alert fired before anything was wrong.");
  }
  return faults;
}

function differenceOf({ countedMicroUsd, billedMicroUsd }: BillComparison): number | undefined {
  const difference = differenceFromBill(countedMicroUsd, billedMicroUsd);
  return difference === undefined ? undefined : Number(difference.toFixed(5));
}

function billFaults({ bill }: Observations): readonly string[] {
  if (bill === undefined) return ["Not observed: the provider's bill."];
  const difference = differenceOf(bill);
  const faults: string[] = [];
  if (difference === undefined || difference > billTolerance)
    faults.push(`Ours and the provider's cost of the same requests differ by the share ${difference ?? "unknown"}.`);
  if (bill.unreportedRequests > 0)
    faults.push(`The provider billed ${bill.unreportedMicroUsd} micro-USD for ${bill.unreportedRequests} requests that were not reported.`);
  return faults;
}

function causeFaults({ cause, maxAttempts }: Observations, injected: Injected): readonly string[] {
  if (cause === undefined) return ["Not observed: the factor behind the rise."];
  const { segment, factor, coincides, controls } = cause;
  const comparisons = [
    ["prompt", segment["prompt"], injected.prompt],
    ["operation", segment["operation"], injected.operation],
    ["factor", factor, injected.factor],
    ["change that coincides", coincides, injected.change],
    ["limit of attempts that follows", controls.maxAttempts, injected.maxAttempts],
    ["limit of attempts that was set", maxAttempts, injected.maxAttempts],
  ] as const;
  return comparisons.flatMap(([what, is, expected]) =>
    is === expected ? [] : [`The ${what} is ${is ?? "not told"}; it should be ${expected}.`],
  );
}
