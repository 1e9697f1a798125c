import { expect, it } from "@jest/globals";
import { aUsageEvent } from "../../../../test/builders/a-usage-report.ts";
import { benchStart, createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { contractTimes } from "../../../../test/contracts/describe-budget-ledger.ts";
import { aChange } from "../../../../test/contracts/describe-change-log.ts";
import { aBudgetState } from "../../../../test/fakes/fake-budget-control.ts";
import { createFakeClock } from "../../../../test/fakes/fake-clock.ts";
import { createMemoryBudgetLedger } from "../../../../test/fakes/memory-budget-ledger.ts";
import { createMemoryChangeLog } from "../../../../test/fakes/memory-change-log.ts";
import { createActions } from "../../../app/action-registry.ts";
import { createPriceTable } from "../../usage/price-table.ts";
import { shippedPrices } from "../../usage/prices.ts";
import { createCostExplainer } from "../create-cost-explainer.ts";
import type { CostExplainer } from "../explain-cost.ts";

const hour = 3_600_000;
const aSpend = (at: number, costMicroUsd: number, operation = "plan") => ({
  at,
  prompt: "implement",
  operation,
  provider: "anthropic",
  model: "m",
  costMicroUsd,
  estimatedMicroUsd: 0,
  requests: 1,
  tickets: 1,
  attempts: 1,
  inputTokens: 10,
  outputTokens: 1,
  unpricedTokens: 0,
});

it("compares the window that ends where the run was accepted with the same window of last week", async () => {
  const { bind, context, control } = createActionBench(aBudgetState("checkout"));
  control.of("checkout").spend = [
    aSpend(benchStart - hour, 9_000_000),
    aSpend(benchStart - 1, 1_000_000),
    aSpend(benchStart, 70_000_000, "after the pause"),
    aSpend(benchStart - 168 * hour - 1, 1_000_000),
    aSpend(benchStart - hour - 1, 8_000_000),
  ];
  const rank = bind("rank-operations", { budget: "checkout" });
  const output = outputOf(await rank.run(await rank.plan(context()), context()));
  expect(output).toMatchObject({
    verdict: "spike",
    culprit: { prompt: "implement", operation: "plan", share: 1 },
    cost_usd: 10,
    baseline_usd: 1,
    compared_with: "earlier",
    from: benchStart - hour,
    to: benchStart,
  });
});

it("falls back to the window before, and says when there is nothing to compare with", async () => {
  const { bind, context, control } = createActionBench(aBudgetState("checkout"));
  const rank = bind("rank-operations", { budget: "checkout", window: "10m" });
  control.of("checkout").spend = [aSpend(benchStart - 1, 5_000_000), aSpend(benchStart - 700_000, 1_000_000)];
  expect(outputOf(await rank.run(await rank.plan(context()), context()))).toMatchObject({ compared_with: "preceding", baseline_usd: 1 });
  control.of("checkout").spend = [aSpend(benchStart - 1, 5_000_000)];
  expect(outputOf(await rank.run(await rank.plan(context()), context()))).toMatchObject({
    compared_with: "nothing",
    sentence: expect.stringContaining("There is no earlier spend to compare with."),
  });
});

/** Twenty tickets in each hour; in the last one each is tried three times. */
async function retriedUsage() {
  const clock = createFakeClock(benchStart);
  const ledger = createMemoryBudgetLedger({ clock, times: contractTimes });
  await ledger.define({ id: "checkout", limitMicroUsd: 1e9, periodMs: 100 * hour, periodStartsAt: benchStart - 50 * hour });
  const event = (at: number, prompt: string, attempt: number) =>
    aUsageEvent(
      { id: `${at}-${prompt}-${attempt}`, at, prompt, operation: prompt, ticketId: `${at}-${prompt}`, attempt, usage },
      benchStart,
    );
  const usage = { input_tokens: 1000, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 100 };
  const ats = Array.from({ length: 20 }, (_, nth) => benchStart - 170_000 * (nth + 1));
  await ledger.record(
    ats.flatMap((at) => [
      event(at - hour, "implement", 1),
      event(at - hour, "review", 1),
      event(at, "review", 1),
      ...[1, 2, 3].map((attempt) => event(at, "implement", attempt)),
    ]),
  );
  return ledger;
}

it("tells the factor of the rise, its part of it and what to do, from the usage events", async () => {
  const { ports, context, control } = createActionBench(aBudgetState("checkout"));
  control.of("checkout").spend = [aSpend(benchStart - 1, 3_000_000), aSpend(benchStart - hour - 1, 1_000_000)];
  const ledger = await retriedUsage();
  const changes = createMemoryChangeLog();
  const release = aChange({ at: benchStart - hour + 10_000 });
  await changes.record(release);
  const runWith = async (costs: CostExplainer) => {
    const bound = createActions({ ...ports, costs })
      .find("rank-operations")
      ?.bind({ budget: "checkout" });
    if (bound?.ok !== true) throw new Error("it cannot be bound");
    return outputOf(await bound.action.run(await bound.action.plan(context()), context()));
  };
  const sight = createCostExplainer({ ledger, prices: createPriceTable(shippedPrices), changes });
  const output = await runWith(sight);
  expect(output).toMatchObject({
    verdict: "spike",
    compared_with: "preceding",
    factor: "attempts_per_ticket",
    factor_compared_with: "preceding",
    price_sources: [expect.stringMatching(/^anthropic\/.* since \d{4}-\d{2}-\d{2}: https:\/\/platform\.claude\.com.*, September 2026$/u)],
    advice: expect.stringContaining("again and again"),
    sentence: expect.stringMatching(
      /^prompt implement, operation implement explains .* release 1\.5\.0 \(deploy\) coincides with its beginning\.$/,
    ),
    // The hour's first ticket came in its fourth minute.
    began_at: benchStart - hour + 180_000,
    coincides: [{ kind: "deploy", ref: "release 1.5.0", by: "ci", at: release.at, score: expect.any(Number) }],
    controls: { max_attempts: 1, because: expect.stringContaining("With one attempt per ticket") },
  });
  const parts: readonly { readonly change_usd: number }[] = Object(output["factors"]);
  const sum = parts.reduce((total, { change_usd }) => total + change_usd, 0);
  expect(sum).toBeCloseTo(Number(output["segment_cost_usd"]) - Number(output["segment_baseline_usd"]), 9);
  expect(output["factor_share"]).toBeGreaterThan(0.95);
  expect(output["segment"]).toEqual({ prompt: "implement", operation: "implement" });

  // What ran a week ago is no longer kept as events, so the hour before stands in; and without either nothing is claimed.
  control.of("checkout").spend = [aSpend(benchStart - 1, 3_000_000), aSpend(benchStart - 168 * hour - 1, 1_000_000)];
  const recent: CostExplainer = {
    explain: async (question) =>
      question.baselineFrom < benchStart - 100 * hour
        ? { ...question, kind: "incomplete", reason: "not_kept", requests: 0, baselineRequests: 0, sentence: "" }
        : sight.explain(question),
  };
  expect(await runWith(recent)).toMatchObject({
    compared_with: "earlier",
    factor_compared_with: "preceding",
    factor: "attempts_per_ticket",
  });
  const blind = await runWith(ports.costs);
  expect(blind).toMatchObject({ verdict: "spike", compared_with: "earlier" });
  expect(Object.keys(blind)).not.toEqual(expect.arrayContaining(["factor"]));
  // Rows alone know that one ticket came to three times the price, which no limit of attempts holds.
  expect(blind["controls"]).toEqual({ scale: 0.1, predicted_per_hour_usd: 3, because: expect.any(String) });
});
