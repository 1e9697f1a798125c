import { describe, expect, it } from "@jest/globals";
import { benchStart, createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState } from "../../../../test/fakes/fake-budget-control.ts";

const parameters = { budget: "checkout", reason: "burns 20x\r\nplan" };

function aBench() {
  const bench = createActionBench(aBudgetState("checkout", { running: 4, queued: 9 }));
  return { ...bench, pause: bench.bind("pause-batches", parameters) };
}

describe("plan", () => {
  it("shows before and after with the explicit target and changes nothing", async () => {
    const { pause, context, control } = aBench();
    const plan = await pause.plan(context());
    expect(plan).toMatchObject({
      summary: "Close admission of budget checkout",
      targets: ["budget/checkout"],
      changes: [{ target: "budget/checkout", field: "gate", before: "open", after: "paused" }],
      reversible: true,
    });
    expect(control.of("checkout").calls).toEqual(["read"]);
  });

  it("refuses a budget that does not exist and names those that do", async () => {
    const { bind, context } = aBench();
    const pause = bind("pause-batches", { budget: "nope", reason: "r" });
    await expect(pause.plan(context())).rejects.toMatchObject({
      failure: { reason: "invalid_parameters", applied: "no", message: expect.stringContaining("checkout") },
    });
  });

  it.each(["", "*", "a b", "Checkout", ".*"])("refuses %j as a budget before any plan", (budget) => {
    const { actions } = aBench();
    expect(actions.find("pause-batches")?.bind({ budget, reason: "r" })).toMatchObject({ ok: false });
  });
});

describe("run", () => {
  it("closes the gate and reports what it reads back from the target", async () => {
    const { pause, context, control } = aBench();
    const output = outputOf(await pause.run(await pause.plan(context()), context()));
    expect(output).toMatchObject({ paused: true, running: 4, queued: 9, already: false, paused_until: null });
    expect(control.of("checkout").state.controls).toMatchObject({ gate: "paused", by: "run:run-1", reason: "burns 20x plan", version: 2 });
  });

  it("is done when it runs again after a crash between effect and result", async () => {
    const { pause, context, control } = aBench();
    const plan = await pause.plan(context());
    await pause.run(plan, context());
    const again = outputOf(await pause.run(plan, context({ attempt: 2 })));
    expect(again["paused"]).toBe(true);
    expect(control.of("checkout").state.controls.version).toBe(2);
  });

  it("does not apply an old plan over a newer decision", async () => {
    const { pause, context, control } = aBench();
    const plan = await pause.plan(context());
    control.set("checkout", { gate: "paused", by: "ann" });
    control.set("checkout", { gate: "open", by: "ann" });
    await expect(pause.run(plan, context())).rejects.toMatchObject({ failure: { reason: "refused_by_target", applied: "no" } });
    expect(control.of("checkout").state.controls).toMatchObject({ gate: "open", by: "ann" });
  });

  it("leaves a gate that a person has closed as it is", async () => {
    const { pause, context, control } = aBench();
    control.set("checkout", { gate: "paused", by: "ann", reason: "maintenance" });
    const plan = await pause.plan(context());
    expect(plan.changes).toEqual([]);
    expect(outputOf(await pause.run(plan, context()))).toMatchObject({ paused: true, already: true });
    expect(control.of("checkout").state.controls).toMatchObject({ gate: "paused", by: "ann", reason: "maintenance" });
  });

  it("closes again a pause that has expired, and lengthens one that ends too early", async () => {
    for (const pausedUntil of [benchStart - 1, benchStart + 1000]) {
      const { bind, context, control } = aBench();
      control.set("checkout", { gate: "paused", by: "ann", pausedUntil });
      const pause = bind("pause-batches", { ...parameters, for: "1h" });
      await pause.run(await pause.plan(context()), context());
      expect(control.of("checkout").state.controls).toMatchObject({ gate: "paused", by: "run:run-1", pausedUntil: benchStart + 3_600_000 });
    }
  });
});

describe("probe", () => {
  it("reads the running tickets again", async () => {
    const { pause, context, control } = aBench();
    const plan = await pause.plan(context());
    expect(await pause.probe?.(plan, context())).toEqual({ kind: "not_applied" });
    await pause.run(plan, context());
    const budget = control.of("checkout");
    budget.state = { ...budget.state, running: 0 };
    expect(await pause.probe?.(plan, context())).toMatchObject({ kind: "applied", output: { running: 0, paused: true } });
  });
});
