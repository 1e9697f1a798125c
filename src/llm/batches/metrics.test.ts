import { expect, it } from "@jest/globals";
import type { Batch } from "../../../packages/sdk/src/wire/batches.ts";
import { aBatch } from "../../../test/builders/a-batch.ts";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryBudgetLedger } from "../../../test/fakes/memory-budget-ledger.ts";
import { createExposition } from "../../platform/telemetry/exposition.ts";
import { noLimits } from "../budgets/controls.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { declareBatchMetrics, observeBatches } from "./metrics.ts";

const now = Date.UTC(2026, 0, 5);

it("shows how many tickets of a queue may run at once, by its budgets and by its batches, whichever is less", async () => {
  const exposition = createExposition();
  const metrics = { ...exposition, ...declareUsageMetrics(exposition.registry), ...declareBatchMetrics(exposition.registry) };
  const budgets = createMemoryBudgetLedger({ clock: createFakeClock(now), times: contractTimes });
  await budgets.define({ id: "checkout", limitMicroUsd: 3_600_000_000, periodMs: 3_600_000, periodStartsAt: now });
  await budgets.admit({ ticketId: "T-1", budget: "checkout", queue: "fast", estimateMicroUsd: 10_000 });
  const running = new Map<string, Batch>();
  observeBatches(metrics, { budgets, batches: { active: async () => [...running.keys()], get: async (id) => running.get(id) } });
  const limitLine = async () => (await metrics.metrics()).split("\n").filter((line) => line.startsWith("llm_queue_concurrency_limit{"));
  expect(await limitLine()).toEqual([]);
  running.set("a", aBatch({ id: "a", limits: { concurrency: 8 }, concurrencyNow: 4 }));
  running.set("b", aBatch({ id: "b", limits: { concurrency: 3 } }));
  running.set("other", aBatch({ id: "other", queue: "slow", limits: { concurrency: 1 } }));
  running.set("gone", aBatch({ id: "gone", state: "cancelled", limits: { concurrency: 1 } }));
  expect(await limitLine()).toEqual(['llm_queue_concurrency_limit{queue="fast"} 7']);
  await budgets.compareAndSet("checkout", 1, { limits: { ...noLimits, concurrency: 5 } });
  expect(await limitLine()).toEqual(['llm_queue_concurrency_limit{queue="fast"} 5']);
  running.set("free", aBatch({ id: "free" }));
  await budgets.compareAndSet("checkout", 2, { limits: noLimits });
  expect(await limitLine()).toEqual([]);
});
