import type { Instant } from "../../src/core/clock.ts";
import { formatUsd } from "../../src/core/money.ts";
import { formatShare } from "../../src/core/share.ts";
import { allTickets, batchPlan } from "./batch-plan.ts";
import type { ProviderSeen } from "./work-at-provider.ts";

/** What was observed, from outside. Absent members were not. */
export interface BatchObservations {
  run?: string;
  outcome?: string;
  /** What the run's end was given as its reason. */
  reason?: string;
  submittedAt?: Instant;
  ledAt?: Instant;
  /** When the concurrency was first seen below what is configured. */
  halvedAt?: Instant;
  leastConcurrency?: number;
  killedAt: Instant[];
  readonly provider: ProviderSeen;
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
  costMicroUsd?: number;
  providerCostMicroUsd?: number;
  refused?: number;
}

/** States that nothing leads out of. */
const ends: ReadonlySet<string> = new Set(["succeeded", "failed", "dead", "cancelled", "quarantined"]);

/** Ours and the provider's cost must agree within this share. */
const tolerance = 0.02;

/** How far ours is from what the provider billed, as a share of that. */
export function providerDifference({ costMicroUsd, providerCostMicroUsd }: BatchObservations): number | undefined {
  if (costMicroUsd === undefined || providerCostMicroUsd === undefined || providerCostMicroUsd === 0) return undefined;
  return Math.abs(costMicroUsd - providerCostMicroUsd) / providerCostMicroUsd;
}

function isWithin(ours: number | undefined, billed: number): boolean {
  return ours !== undefined && billed > 0 && Math.abs(ours - billed) / billed <= tolerance;
}

/** What was missed or went wrong, one sentence each. */
export function batchFaults(seen: BatchObservations): readonly string[] {
  const faults: string[] = [];
  const must = (holds: boolean, fault: string) => void (holds || faults.push(fault));
  must(seen.submittedAt !== undefined, "The batch was never submitted.");
  must(seen.ledAt !== undefined, "No leading group proved itself.");
  must(seen.halvedAt !== undefined, "The concurrency was never lowered, although the provider refused requests.");
  must(seen.killedAt.length === 2, `${seen.killedAt.length} workers were killed; it should have been 2.`);
  must(
    seen.outcome === "succeeded",
    `The run ${seen.outcome === undefined ? "did not end" : `ended ${seen.outcome}: ${seen.reason ?? "no reason given"}`}.`,
  );
  must(seen.reportSentAt !== undefined, "No report was mailed.");
  must(seen.tickets === allTickets, `There are ${seen.tickets ?? 0} tickets; it should be ${allTickets}.`);
  const open = Object.entries(seen.states ?? {}).filter(([state]) => !ends.has(state));
  must(open.length === 0, `Not every ticket has ended: ${open.map(([state, count]) => `${count} ${state}`).join(", ")}.`);
  must(
    seen.states?.["succeeded"] === allTickets - 1,
    `${seen.states?.["succeeded"] ?? 0} tickets succeeded; all but the poisoned one should have.`,
  );
  must(
    seen.poisonedState !== undefined && seen.poisonedState !== "succeeded" && ends.has(seen.poisonedState),
    `The poisoned ticket is ${seen.poisonedState ?? "unknown"}.`,
  );
  must(seen.ledgerReservedMicroUsd === 0, `${formatUsd(seen.ledgerReservedMicroUsd ?? 0)} are still reserved.`);
  must((seen.costMicroUsd ?? Number.POSITIVE_INFINITY) <= batchPlan.maxCostUsd * 1_000_000, "The batch has cost more than its limit.");
  const { provider, providerFault, providerBatchCostMicroUsd } = seen;
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
    isWithin(providerBatchCostMicroUsd, provider.billedMicroUsd),
    `The provider billed ${formatUsd(provider.billedMicroUsd)} for its batches, ours says ${formatUsd(providerBatchCostMicroUsd ?? 0)}.`,
  );
  const difference = providerDifference(seen);
  must(
    difference !== undefined && difference <= tolerance,
    `Ours and the provider's cost differ by ${difference === undefined ? "an unknown share" : formatShare(difference, { decimals: 2 })}.`,
  );
  return faults;
}

/** The last line of `--json`. */
export function batchLine(seen: BatchObservations): string {
  const time = (at: Instant | undefined) => (at === undefined ? null : new Date(at).toISOString());
  const difference = providerDifference(seen);
  return JSON.stringify({
    scenario: "batch",
    run: seen.run ?? null,
    outcome: seen.outcome ?? null,
    tickets: seen.tickets ?? null,
    states: seen.states ?? null,
    poisonedTicket: seen.poisonedState ?? null,
    workersKilled: seen.killedAt.length,
    requestsRefused: seen.refused ?? null,
    concurrency: batchPlan.concurrency,
    leastConcurrency: seen.leastConcurrency ?? null,
    ledgerReservedMicroUsd: seen.ledgerReservedMicroUsd ?? null,
    costMicroUsd: seen.costMicroUsd ?? null,
    maxCostMicroUsd: batchPlan.maxCostUsd * 1_000_000,
    providerCostMicroUsd: seen.providerCostMicroUsd ?? null,
    providerDifferenceRatio: difference === undefined ? null : Number(difference.toFixed(5)),
    providerBatch: { tickets: batchPlan.providerTickets, ...seen.provider, costMicroUsd: seen.providerBatchCostMicroUsd ?? null },
    submittedAt: time(seen.submittedAt),
    ledAt: time(seen.ledAt),
    halvedAt: time(seen.halvedAt),
    endedAt: time(seen.endedAt),
    reportSentAt: time(seen.reportSentAt),
    faults: batchFaults(seen),
  });
}
