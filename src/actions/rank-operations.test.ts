import { expect, it } from "@jest/globals";
import { benchStart, createActionBench, outputOf } from "../testing/action-bench.ts";
import { aBudgetState } from "../testing/fake-budget-control.ts";

const hour = 3_600_000;
const aSpend = (at: number, costMicroUsd: number, operation = "plan") => ({
  at,
  prompt: "implement",
  operation,
  provider: "anthropic",
  model: "m",
  costMicroUsd,
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
