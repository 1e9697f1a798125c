import { expect, it } from "@jest/globals";
import { benchStart, createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState } from "../../../../test/fakes/fake-budget-control.ts";

const ticket = (ticketId: string, since: number) => ({ ticketId, leaseId: `lease-${ticketId}`, since, turn: 2 });

function aBench() {
  const bench = createActionBench(aBudgetState("checkout", { running: 2 }));
  bench.control.of("checkout").tickets = [ticket("a", benchStart - 5000), ticket("b", benchStart - 1)];
  return { ...bench, cancel: bench.bind("cancel-tickets", { budget: "checkout" }) };
}

it("pins the moment in the plan and tells how many run", async () => {
  const { cancel, context } = aBench();
  expect(await cancel.plan(context())).toMatchObject({
    summary: "Stop 2 running tickets of budget checkout at their next turn",
    targets: ["budget/checkout"],
    changes: [{ field: "stopBefore", before: null, after: benchStart }],
    reversible: false,
  });
});

it("stops what ran at the plan and, run again after a crash, nothing that began later", async () => {
  const { cancel, context, control, clock } = aBench();
  const plan = await cancel.plan(context());
  expect(outputOf(await cancel.run(plan, context()))).toMatchObject({ found: 2, running: 2, stopped: 0 });
  await clock.advance(60_000);
  control.of("checkout").tickets = [ticket("c", clock.now())];
  expect(outputOf(await cancel.run(plan, context()))).toMatchObject({ running: 0, stopped: 2 });
  expect(control.of("checkout").state.controls).toMatchObject({ stopBefore: benchStart, version: 2 });
});

it("probes until every ticket that ran has stopped", async () => {
  const { cancel, context, control } = aBench();
  const plan = await cancel.plan(context());
  expect(await cancel.probe?.(plan, context())).toEqual({ kind: "not_applied" });
  await cancel.run(plan, context());
  expect(await cancel.probe?.(plan, context())).toMatchObject({ kind: "applied", output: { running: 2, tickets: ["a", "b"] } });
  control.of("checkout").tickets = [ticket("b", benchStart - 1)];
  expect(await cancel.probe?.(plan, context())).toMatchObject({ kind: "applied", output: { running: 1, stopped: 1 } });
});

it("accepts a later stop of somebody else as done", async () => {
  const { cancel, context, control } = aBench();
  const plan = await cancel.plan(context());
  control.set("checkout", { stopBefore: benchStart + 5 });
  await cancel.run(plan, context());
  expect(control.of("checkout").state.controls.stopBefore).toBe(benchStart + 5);
});

it("refuses to write from an old plan", async () => {
  const { cancel, context, control } = aBench();
  const plan = await cancel.plan(context());
  control.set("checkout", { gate: "paused" });
  await expect(cancel.run(plan, context())).rejects.toMatchObject({ failure: { reason: "refused_by_target", applied: "no" } });
});
