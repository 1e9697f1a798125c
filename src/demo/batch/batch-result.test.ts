import { describe, expect, it } from "@jest/globals";
import { importTickets } from "../../workload/batch-import/import-tickets.ts";
import { batchPlan, ticketFile } from "./batch-plan.ts";
import { batchFaults, batchLine, providerDifference, type BatchObservations } from "./batch-result.ts";

const good: BatchObservations = {
  run: "run_1",
  outcome: "succeeded",
  submittedAt: 1,
  ledAt: 2,
  halvedAt: 3,
  leastConcurrency: 4,
  killedAt: [4, 5],
  endedAt: 6,
  reportSentAt: 7,
  states: { succeeded: 199, dead: 1 },
  tickets: 200,
  poisonedState: "dead",
  ledgerReservedMicroUsd: 0,
  costMicroUsd: 990_000,
  providerCostMicroUsd: 1_000_000,
  refused: 20,
};

describe("the judgement of the batch scenario", () => {
  it("finds nothing when all was seen", () => {
    expect(batchFaults(good)).toEqual([]);
    expect(JSON.parse(batchLine(good))).toMatchObject({ tickets: 200, providerDifferenceRatio: 0.01, faults: [] });
  });

  it.each<[Partial<BatchObservations>, string]>([
    [{ states: { succeeded: 199, waiting: 1 } }, "Not every ticket has ended: 1 waiting."],
    [{ states: { succeeded: 198, dead: 2 } }, "198 tickets succeeded; all but the poisoned one should have."],
    [{ tickets: 199 }, "There are 199 tickets; it should be 200."],
    [{ ledgerReservedMicroUsd: 1 }, "$0.0000 are still reserved."],
    [{ costMicroUsd: 979_000 }, "Ours and the provider's cost differ by 2.10 %."],
    [{ killedAt: [4] }, "1 workers were killed; it should have been 2."],
    [{ outcome: "failed", reason: "no" }, "The run ended failed: no."],
    [{ poisonedState: "succeeded" }, "The poisoned ticket is succeeded."],
  ])("says what is wrong with %j", (change, fault) => {
    expect(batchFaults({ ...good, ...change })).toEqual([fault]);
  });

  it("says everything when nothing was seen", () => {
    expect(batchFaults({ killedAt: [] }).length).toBeGreaterThan(10);
    expect(providerDifference({ killedAt: [] })).toBeUndefined();
  });
});

it("hands in a file without faults, one ticket of which no worker can read", () => {
  const { tickets, faults } = importTickets(ticketFile(), "csv", { kind: "fix" });
  expect(faults).toEqual([]);
  expect(tickets).toHaveLength(batchPlan.tickets);
  expect(tickets[batchPlan.poisoned - 1]?.payload).toEqual({ number: "not a number" });
});
