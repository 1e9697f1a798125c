import type { Instant } from "../../src/core/clock.ts";
import { formatUsd } from "../../src/core/money.ts";
import { formatShare } from "../../src/core/share.ts";
import { type BillComparison, billTolerance, differenceFromBill } from "../compare-bill.ts";
import { allTickets, batchPlan } from "./batch-plan.ts";
import type { ProviderObservations } from "./work-at-provider.ts";

/** What was observed, from outside. Absent members were not. */
export interface BatchObservations {
  run?: string;
  outcome?: string;
  /** What the run's end was given as its reason. */
  reason?: string;
  submittedAt?: Instant;
  pilotPassedAt?: Instant;
  /** When the concurrency was first seen below what is configured. */
  halvedAt?: Instant;
  minConcurrency?: number;
  killedAt: Instant[];
  readonly provider: ProviderObservations;
  /** Why the application stopped working at the provider's batch interface. */
  providerFault?: string;
  providerBatchCostMicroUsd?: number;
  endedAt?: Instant;
  reportSentAt?: Instant | undefined;
  /** Tickets of the batch by state, each counted from its own record. */
  states?: Readonly<Record<string, number>>;
  tickets?: number;
  poisonedState?: string;
  ledgerReservedMicroUsd?: number;
  /** What was reported. */
  costMicroUsd?: number;
  /** What is charged beyond it for turns without a report. */
  estimatedMicroUsd?: number;
  providerCostMicroUsd?: number;
  /** Of it what was not reported, because a process of workers was killed. */
  unreported?: Pick<BillComparison, "unreportedRequests" | "unreportedMicroUsd">;
  refused?: number;
}

/** States that nothing leads out of. */
const ends: ReadonlySet<string> = new Set(["succeeded", "failed", "dead", "cancelled", "quarantined"]);

/** How far what was reported is from what the provider billed for it, as a share of that. */
export function providerDifference({ costMicroUsd, providerCostMicroUsd, unreported }: BatchObservations): number | undefined {
  if (providerCostMicroUsd === undefined || unreported === undefined) return undefined;
  return differenceFromBill(costMicroUsd, providerCostMicroUsd - unreported.unreportedMicroUsd);
}

function agrees(difference: number | undefined): boolean {
  return difference !== undefined && difference <= billTolerance;
}

/** What was missed or went wrong, one sentence each. */
export function batchFaults(observations: BatchObservations): readonly string[] {
  const faults: string[] = [];
  const must = (condition: boolean, fault: string) => void (condition || faults.push(fault));
  must(observations.submittedAt !== undefined, "The batch was never submitted.");
  must(observations.pilotPassedAt !== undefined, "No leading group proved itself.");
  must(observations.halvedAt !== undefined, "The concurrency was never lowered, although the provider refused requests.");
  must(observations.killedAt.length === 2, `${observations.killedAt.length} workers were killed; it should have been 2.`);
  must(
    observations.outcome === "succeeded",
    `The run ${observations.outcome === undefined ? "did not end" : `ended ${observations.outcome}: ${observations.reason ?? "no reason given"}`}.`,
  );
  must(observations.reportSentAt !== undefined, "No report was mailed.");
  must(observations.tickets === allTickets, `There are ${observations.tickets ?? 0} tickets; it should be ${allTickets}.`);
  const open = Object.entries(observations.states ?? {}).filter(([state]) => !ends.has(state));
  must(open.length === 0, `Not every ticket has ended: ${open.map(([state, count]) => `${count} ${state}`).join(", ")}.`);
  must(
    observations.states?.["succeeded"] === allTickets - 1,
    `${observations.states?.["succeeded"] ?? 0} tickets succeeded; all but the poisoned one should have.`,
  );
  must(
    observations.poisonedState !== undefined && observations.poisonedState !== "succeeded" && ends.has(observations.poisonedState),
    `The poisoned ticket is ${observations.poisonedState ?? "unknown"}.`,
  );
  must(observations.ledgerReservedMicroUsd === 0, `${formatUsd(observations.ledgerReservedMicroUsd ?? 0)} are still reserved.`);
  must(
    (observations.costMicroUsd ?? Number.POSITIVE_INFINITY) <= batchPlan.maxCostUsd * 1_000_000,
    "The batch has cost more than its limit.",
  );
  const { provider, providerFault, providerBatchCostMicroUsd } = observations;
  must(providerFault === undefined, `The provider's batch: ${providerFault ?? ""}`);
  must(
    provider.succeeded === batchPlan.providerTickets,
    `${provider.succeeded} of ${batchPlan.providerTickets} tickets succeeded at the provider's batch interface.`,
  );
  must(
    provider.expired > 0 && provider.resubmitted === provider.expired,
    `${provider.expired} items expired at the provider and ${provider.resubmitted} were submitted again.`,
  );
  must(
    agrees(differenceFromBill(providerBatchCostMicroUsd, provider.billedMicroUsd)),
    `The provider billed ${formatUsd(provider.billedMicroUsd)} for its batches, ours says ${formatUsd(providerBatchCostMicroUsd ?? 0)}.`,
  );
  const difference = providerDifference(observations);
  must(
    agrees(difference),
    `Ours and the provider's cost differ by ${difference === undefined ? "an unknown share" : formatShare(difference, { decimals: 2 })}.`,
  );
  // The bill of a killed process is never known; what it had reserved must stand for it.
  const { unreportedRequests = 0, unreportedMicroUsd = 0 } = observations.unreported ?? {};
  const { estimatedMicroUsd = 0 } = observations;
  must(
    unreportedMicroUsd <= estimatedMicroUsd,
    `The provider billed ${formatUsd(unreportedMicroUsd)} without a report, and ${formatUsd(estimatedMicroUsd)} are charged for it.`,
  );
  const inHand = observations.killedAt.length * (batchPlan.concurrency / batchPlan.hosts);
  must(
    unreportedRequests <= inHand,
    `${unreportedRequests} billed requests were not reported; the killed processes had ${inHand} in hand.`,
  );
  return faults;
}

/** The last line of `--json`. */
export function batchLine(observations: BatchObservations): string {
  const time = (at: Instant | undefined) => (at === undefined ? null : new Date(at).toISOString());
  const difference = providerDifference(observations);
  return JSON.stringify({
    scenario: "batch",
    run: observations.run ?? null,
    outcome: observations.outcome ?? null,
    tickets: observations.tickets ?? null,
    states: observations.states ?? null,
    poisonedTicket: observations.poisonedState ?? null,
    workersKilled: observations.killedAt.length,
    requestsRefused: observations.refused ?? null,
    concurrency: batchPlan.concurrency,
    leastConcurrency: observations.minConcurrency ?? null,
    ledgerReservedMicroUsd: observations.ledgerReservedMicroUsd ?? null,
    costMicroUsd: observations.costMicroUsd ?? null,
    maxCostMicroUsd: batchPlan.maxCostUsd * 1_000_000,
    providerCostMicroUsd: observations.providerCostMicroUsd ?? null,
    unreportedRequests: observations.unreported?.unreportedRequests ?? null,
    unreportedMicroUsd: observations.unreported?.unreportedMicroUsd ?? null,
    estimatedMicroUsd: observations.estimatedMicroUsd ?? null,
    providerDifferenceRatio: difference === undefined ? null : Number(difference.toFixed(5)),
    providerBatch: {
      tickets: batchPlan.providerTickets,
      ...observations.provider,
      costMicroUsd: observations.providerBatchCostMicroUsd ?? null,
    },
    submittedAt: time(observations.submittedAt),
    pilotPassedAt: time(observations.pilotPassedAt),
    halvedAt: time(observations.halvedAt),
    endedAt: time(observations.endedAt),
    reportSentAt: time(observations.reportSentAt),
    faults: batchFaults(observations),
  });
}
