import { expect, it } from "@jest/globals";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryBudgetLedger } from "../../../test/fakes/memory-budget-ledger.ts";
import { createExposition } from "../../platform/telemetry/exposition.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { declareBudgetMetrics, observeBudgets } from "./metrics.ts";

const now = Date.UTC(2026, 0, 5);

const open = async () => {
  const clock = createFakeClock(now);
  const exposition = createExposition();
  const metrics = { ...exposition, ...declareUsageMetrics(exposition.registry), ...declareBudgetMetrics(exposition.registry) };
  const budgets = createMemoryBudgetLedger({ clock, times: contractTimes });
  await budgets.define({ id: "checkout", limitMicroUsd: 3_600_000_000, periodMs: 3_600_000, periodStartsAt: now });
  const lines = async () => (await metrics.metrics()).split("\n").filter((line) => /^llm_(budget|queue)_/.test(line));
  return { clock, metrics, budgets, lines };
};

it("reads budgets and gates at every scrape", async () => {
  const { metrics, budgets, clock, lines } = await open();
  await budgets.admit({ ticketId: "T-1", budget: "checkout", queue: "fast", estimateMicroUsd: 10_000 });
  await budgets.record([aUsageEvent({ id: "r1" }, now)]);
  observeBudgets(metrics, budgets);
  await clock.advance(60_000 - 1);
  expect(await lines()).toEqual([
    'llm_budget_limit_usd{budget="checkout"} 3600',
    'llm_budget_spent_usd{budget="checkout"} 0.003',
    'llm_budget_estimated_usd{budget="checkout"} 0',
    'llm_budget_committed_usd{budget="checkout"} 0.007',
    'llm_budget_allowance_usd_per_second{budget="checkout"} 1',
    'llm_budget_period_remaining_seconds{budget="checkout"} 3540.001',
    'llm_queue_paused{queue="fast"} 0',
  ]);
  await budgets.compareAndSet("checkout", 1, { gate: "paused", reason: "burning" });
  expect(await lines()).toContain('llm_queue_paused{queue="fast"} 1');
});

it("shows nothing instead of the last value while the ledger cannot be read", async () => {
  const { metrics, budgets, lines } = await open();
  let isDown = false;
  const summaries = async () => {
    if (isDown) throw new Error("down");
    return budgets.summaries();
  };
  observeBudgets(metrics, { summaries });
  expect(await lines()).not.toEqual([]);
  isDown = true;
  expect(await lines()).toEqual([]);
});
