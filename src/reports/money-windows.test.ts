import { describe, expect, it } from "@jest/globals";
import { aBurnAlert, aCostRun } from "../../test/builders/a-cost-run.ts";
import { aBudgetState, createFakeBudgetControl } from "../../test/fakes/fake-budget-control.ts";
import { describeMoney, gatherMoney, type MoneyFacts, moneyWindows } from "./money-windows.ts";

const hour = 3_600_000;
const usd = 1_000_000;
const facts: MoneyFacts = {
  budget: "checkout",
  limitMicroUsd: 300 * usd,
  spentMicroUsd: 96 * usd,
  onset: { from: 0, to: hour, costMicroUsd: 12 * usd },
  afterStop: { from: hour, to: hour + hour / 2, costMicroUsd: 2 * usd },
  remainingPeriodMs: 10 * hour,
  unpricedTokens: 0,
};

describe("what was avoided", () => {
  it("is onset rate × time, less what was spent instead, with the formula written out", () => {
    const { lines, avoided } = describeMoney(facts);
    expect(lines).toEqual([
      "Budget checkout: $96.00 of $300.00 is spent in this period.",
      "Onset rate: $12.00 in 1h (1970-01-01 00:00:00 UTC to 1970-01-01 01:00:00 UTC) = $12.00/h.",
      "Until the run ended: onset rate × time since the stop = $12.00/h × 30m = $6.00; spent instead $2.00; avoided $4.00.",
      "To the end of the budget's period: onset rate × remaining time = $12.00/h × 10h = $120.00. This is an upper bound: it assumes that nobody else would have stopped it.",
    ]);
    expect(avoided).toMatch(/^\$4\.00 was avoided/);
  });

  it("is not claimed when more was spent than before", () => {
    const told = describeMoney({ ...facts, afterStop: { from: hour, to: 2 * hour, costMicroUsd: 15 * usd } });
    expect(told.lines[2]).toContain("nothing avoided: $3.00 more than that");
    expect(told).not.toHaveProperty("avoided");
  });

  it("cannot be computed without spend before, and is nothing when nothing was changed", () => {
    expect(describeMoney({ ...facts, onset: { from: 0, to: hour, costMicroUsd: 0 } }).lines.at(-1)).toMatch(/cannot be computed/);
    const { afterStop: _none, ...unchanged } = facts;
    expect(describeMoney(unchanged).lines.at(-1)).toMatch(/nothing is counted as avoided/);
  });

  it("says that tokens without a price make it too low", () => {
    expect(describeMoney({ ...facts, unpricedTokens: 12_000 }).lines[1]).toBe(
      "12,000 tokens have no price and count as nothing here: the true cost is higher.",
    );
  });
});

describe("the windows of a run", () => {
  const { journal, summary } = aCostRun();

  it("are the ranking's window and the time from the first change to the conclusion", () => {
    const windows = moneyWindows(journal);
    expect(windows).toMatchObject({ budget: "checkout", onset: { from: summary.acceptedAt - hour, to: summary.acceptedAt } });
    expect(windows?.stop).toBe(journal.find((entry) => entry.kind === "applied" && entry.step === "stop_all_batch_jobs")?.at);
    expect(windows?.end).toBe(journal.find((entry) => entry.kind === "concluded")?.at);
  });

  it("begin with the alert, at least ten minutes before the run, when nothing was ranked", () => {
    expect(moneyWindows(journal.slice(0, 1))).toMatchObject({ onset: { from: summary.acceptedAt - 600_000, to: summary.acceptedAt } });
    const early = aCostRun({ alert: aBurnAlert({ startsAt: summary.acceptedAt - hour }) }).journal.slice(0, 1);
    expect(moneyWindows(early)).toMatchObject({ onset: { from: summary.acceptedAt - hour } });
  });

  it("do not exist for a run about something else", () => {
    expect(moneyWindows([])).toBeUndefined();
  });

  it("are filled from the ledger; a budget that is gone has no money", async () => {
    const budgets = createFakeBudgetControl(aBudgetState("checkout", { spentMicroUsd: 5 }));
    const row = {
      prompt: "p",
      operation: "o",
      provider: "x",
      model: "m",
      estimatedMicroUsd: 0,
      requests: 1,
      tickets: 1,
      attempts: 1,
      inputTokens: 1,
      outputTokens: 1,
      unpricedTokens: 3,
    };
    budgets.of("checkout").spend = [
      { ...row, at: summary.acceptedAt - 1, costMicroUsd: 70 },
      { ...row, at: summary.acceptedAt + hour, costMicroUsd: 8 },
    ];
    expect(await gatherMoney(journal, budgets)).toMatchObject({
      onset: { costMicroUsd: 70 },
      afterStop: { costMicroUsd: 8 },
      spentMicroUsd: 5,
      unpricedTokens: 6,
    });
    expect(await gatherMoney(journal, createFakeBudgetControl())).toBeUndefined();
  });
});
