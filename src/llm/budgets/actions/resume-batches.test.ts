import { expect, it } from "@jest/globals";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState } from "../../../../test/fakes/fake-budget-control.ts";

function aPausedBench() {
  const bench = createActionBench(aBudgetState("checkout", { queued: 3 }));
  bench.control.set("checkout", { gate: "paused", by: "run:run-1", reason: "burn", pausedUntil: 9e12 });
  return { ...bench, resume: bench.bind("resume-batches", { budget: "checkout" }) };
}

it("opens the gate, clears the end of the pause and leaves the limits alone", async () => {
  const { resume, context, control } = aPausedBench();
  const plan = await resume.plan(context());
  expect(plan.changes).toContainEqual({ target: "budget/checkout", field: "gate", before: "paused", after: "open" });
  expect(outputOf(await resume.run(plan, context()))).toMatchObject({ paused: false, queued: 3 });
  expect(control.of("checkout").state.controls).not.toHaveProperty("pausedUntil");
  expect(resume.risk).toBe("raises");
});

it("is done when it runs again, and does not reopen what a person has closed since", async () => {
  const { resume, context, control } = aPausedBench();
  const plan = await resume.plan(context());
  await resume.run(plan, context());
  await resume.run(plan, context());
  expect(control.of("checkout").state.controls.version).toBe(3);
  control.set("checkout", { gate: "paused", by: "ann" });
  await expect(resume.run(plan, context())).rejects.toMatchObject({ failure: { reason: "refused_by_target", applied: "no" } });
});

it("closes the gate again on undo as it was before", async () => {
  const { resume, context, control } = aPausedBench();
  const plan = await resume.plan(context());
  const output = outputOf(await resume.run(plan, context()));
  await resume.undo?.(plan, output, context());
  expect(control.of("checkout").state.controls).toMatchObject({ gate: "paused", reason: "burn", pausedUntil: 9e12 });
});

it("changes nothing when the gate is open", async () => {
  const { bind, context, control } = createActionBench(aBudgetState("checkout"));
  const resume = bind("resume-batches", { budget: "checkout" });
  const plan = await resume.plan(context());
  expect(plan.changes).toEqual([]);
  expect(outputOf(await resume.run(plan, context()))["paused"]).toBe(false);
  expect(control.of("checkout").calls).not.toContain("compareAndSet");
});

it("probes the gate, not an acknowledgement", async () => {
  const { resume, context, control } = aPausedBench();
  const plan = await resume.plan(context());
  await resume.run(plan, context());
  control.set("checkout", { gate: "paused" });
  expect(await resume.probe?.(plan, context())).toEqual({ kind: "not_applied" });
});
