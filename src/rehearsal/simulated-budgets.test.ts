import { expect, it } from "@jest/globals";
import type { SimulatedBudget } from "./rehearsal.ts";
import { createSimulatedBudgets } from "./simulated-budgets.ts";
import { createVirtualClock } from "./virtual-clock.ts";

const start = Date.UTC(2026, 0, 5);

function aWorld(change: Partial<SimulatedBudget> = {}) {
  const clock = createVirtualClock(start);
  const lines: string[] = [];
  const budgets = createSimulatedBudgets(
    [
      {
        id: "checkout",
        limitUsd: 100,
        spentUsd: 10,
        running: 4,
        queued: 6,
        turnMs: 40_000,
        limits: { concurrency: null, ratePerMinute: null, perTicketCapUsd: null, maxAttempts: null },
        spend: [],
        ...change,
      },
    ],
    clock,
    (line) => void lines.push(line),
  );
  return { clock, lines, budgets };
}

it("ends every ticket at its next turn once it is stopped, and starts none while the gate is closed", async () => {
  const { clock, budgets, lines } = aWorld();
  await budgets.compareAndSet("checkout", 1, { gate: "paused", reason: "r", by: "b", pausedUntil: start + 60_000 });
  expect((await budgets.running("checkout")).length).toBe(4);
  await budgets.compareAndSet("checkout", 2, { stopBefore: start });
  clock.moveTo(start + 20_000);
  expect((await budgets.running("checkout")).length).toBe(2);
  clock.moveTo(start + 30_000);
  expect((await budgets.running("checkout")).length).toBe(1);
  clock.moveTo(start + 40_000);
  expect((await budgets.read("checkout"))?.running).toBe(0);
  expect(lines).toEqual(["budget/checkout: gate open -> paused, pausedUntil none -> 1m", "budget/checkout: stopBefore none -> 0s"]);
});

it("opens by itself when the pause is over, with as many tickets as the limit permits", async () => {
  const { clock, budgets } = aWorld();
  const { controls } = (await budgets.read("checkout")) ?? {};
  if (controls === undefined) throw new Error("There is no budget.");
  await budgets.compareAndSet("checkout", 1, {
    gate: "paused",
    pausedUntil: start + 60_000,
    stopBefore: start,
    limits: { ...controls.limits, concurrency: 3 },
  });
  clock.moveTo(start + 59_000);
  expect(await budgets.read("checkout")).toMatchObject({ running: 0, queued: 10 });
  clock.moveTo(start + 60_000);
  expect(await budgets.read("checkout")).toMatchObject({ running: 3, queued: 7 });
});

it("changes nothing for an old version, and nothing for what is so already", async () => {
  const { budgets, lines } = aWorld({ closedBy: "ann" });
  expect(await budgets.compareAndSet("checkout", 7, { gate: "open" })).toMatchObject({ set: false, controls: { gate: "paused" } });
  expect(await budgets.compareAndSet("checkout", 7, { gate: "paused" })).toMatchObject({ set: true, controls: { version: 1 } });
  expect(lines).toEqual([]);
});
