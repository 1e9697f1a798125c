import { describe, expect, it } from "@jest/globals";
import { importTickets } from "../../src/llm/batches/import/import-tickets.ts";
import { batchPlan, ticketFile } from "./batch-plan.ts";
import { type BatchObservations, batchFaults, batchLine, providerDifference } from "./batch-result.ts";

const atProvider = { submissions: 2, expired: 10, resubmitted: 10, succeeded: 40, billedMicroUsd: 100_000 };
const good: BatchObservations = {
  run: "run_1",
  outcome: "succeeded",
  submittedAt: 1,
  pilotPassedAt: 2,
  halvedAt: 3,
  minConcurrency: 4,
  killedAt: [4, 5],
  endedAt: 6,
  reportSentAt: 7,
  states: { succeeded: 199, dead: 1 },
  tickets: 200,
  poisonedState: "dead",
  ledgerReservedMicroUsd: 0,
  costMicroUsd: 996_000,
  estimatedMicroUsd: 40_000,
  providerCostMicroUsd: 1_020_000,
  unreported: { unreportedRequests: 2, unreportedMicroUsd: 20_000 },
  refused: 20,
  provider: atProvider,
  providerBatchCostMicroUsd: 100_000,
};
const nothing: BatchObservations = {
  killedAt: [],
  provider: { submissions: 0, expired: 0, resubmitted: 0, succeeded: 0, billedMicroUsd: 0 },
};

describe("the judgement of the batch scenario", () => {
  it("finds nothing when all was seen", () => {
    expect(batchFaults(good)).toEqual([]);
    expect(JSON.parse(batchLine(good))).toMatchObject({ tickets: 200, providerDifferenceRatio: 0.004, unreportedRequests: 2, faults: [] });
  });

  it.each<[Partial<BatchObservations>, string]>([
    [{ states: { succeeded: 199, waiting: 1 } }, "Not every ticket has ended: 1 waiting."],
    [{ states: { succeeded: 198, dead: 2 } }, "198 tickets succeeded; all but the poisoned one should have."],
    [{ tickets: 199 }, "There are 199 tickets; it should be 200."],
    [{ ledgerReservedMicroUsd: 1 }, "$0.000001 are still reserved."],
    [{ costMicroUsd: 994_000 }, "Ours and the provider's cost differ by 0.60 %."],
    [{ estimatedMicroUsd: 19_999 }, "The provider billed $0.0200 without a report, and $0.0200 are charged for it."],
    [
      { unreported: { unreportedRequests: 9, unreportedMicroUsd: 20_000 } },
      "9 billed requests were not reported; the killed processes had 8 in hand.",
    ],
    [{ provider: { ...atProvider, resubmitted: 40 } }, "10 items expired at the provider and 40 were submitted again."],
    [{ providerBatchCostMicroUsd: 200_000 }, "The provider billed $0.10 for its batches, ours says $0.20."],
    [{ killedAt: [4] }, "1 workers were killed; it should have been 2."],
    [{ outcome: "failed", reason: "no" }, "The run ended failed: no."],
    [{ poisonedState: "succeeded" }, "The poisoned ticket is succeeded."],
  ])("says what is wrong with %j", (change, fault) => {
    expect(batchFaults({ ...good, ...change })).toEqual([fault]);
  });

  it("says everything when nothing was seen", () => {
    expect(batchFaults(nothing).length).toBeGreaterThan(10);
    expect(providerDifference(nothing)).toBeUndefined();
  });
});

it("hands in a file without faults, one ticket of which no worker can read", () => {
  const { tickets, faults } = importTickets(ticketFile(1, batchPlan.tickets, "fix"), "csv", { kind: "fix" });
  expect(faults).toEqual([]);
  expect(tickets).toHaveLength(batchPlan.tickets);
  expect(tickets[batchPlan.poisoned - 1]?.payload).toEqual({ number: "not a number" });
});
