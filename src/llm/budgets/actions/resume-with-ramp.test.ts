import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import type { Plan } from "../../../../packages/sdk/src/wire/plans.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState } from "../../../../test/fakes/fake-budget-control.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";

const minute = 60_000;

function aBench(parameters: { readonly [key: string]: Json } = {}) {
  const bench = createActionBench(aBudgetState("checkout"));
  const { limits } = bench.control.of("checkout").state.controls;
  bench.control.set("checkout", { gate: "paused", by: "run:run-1", reason: "burn", limits: { ...limits, concurrency: 8 } });
  const ramp = bench.bind("resume-with-ramp", { budget: "checkout", every: "15m", ...parameters });
  const controls = () => bench.control.of("checkout").state.controls;

  /** Calls `run` as the engine does, until it is done, asks, or has looked `looks` times. */
  async function drive(plan: Plan, looks: number, from: Partial<ActionContext> = {}): Promise<ActionResult> {
    let result = await ramp.run(plan, bench.context(from));
    for (let look = 1; look < looks && result.kind === "continue"; look++) {
      await bench.clock.advance(result.afterMs);
      result = await ramp.run(plan, bench.context({ ...from, answer: undefined, progress: result.progress }));
    }
    return result;
  }
  return { ...bench, ramp, controls, drive };
}

const progressOf = (result: ActionResult): Json => (result.kind === "done" ? null : result.progress);

describe("a calm resume", () => {
  it("plans every stage with before and after", async () => {
    const { ramp, context } = aBench();
    const plan = await ramp.plan(context());
    expect(plan.summary).toBe("Open budget checkout with 2, then 4, then 8 tickets at once, each held 15m while the burn is under 1.2");
    expect(plan.changes).toContainEqual({ target: "budget/checkout", field: "gate", before: "paused", after: "open" });
  });

  it("goes from a quarter to all of it, a stage every 15 minutes, and holds no worker between looks", async () => {
    const { ramp, context, drive, controls, clock } = aBench();
    const plan = await ramp.plan(context());
    const started = clock.now();
    const first = await drive(plan, 1);
    expect(first).toMatchObject({ kind: "continue", afterMs: 3 * minute });
    expect(controls()).toMatchObject({ gate: "open", limits: { concurrency: 2 } });
    const output = outputOf(await drive(plan, 100, { progress: progressOf(first) }));
    expect(output).toMatchObject({
      steps: [2, 4, 8],
      steps_back: 0,
      final_concurrency: 8,
      verified: true,
      resumed: true,
      burn: [0.5, 0.5],
    });
    expect(clock.now() - started).toBeGreaterThanOrEqual(45 * minute);
  });

  it("starts at one ticket when a quarter is less than one", async () => {
    const { ramp, context } = aBench({ concurrency: 2 });
    expect((await ramp.plan(context())).summary).toContain("with 1, then 1, then 2 tickets");
  });
});

describe("the burn", () => {
  it("keeps the gate closed until it is under the threshold", async () => {
    const { ramp, context, drive, controls, world } = aBench();
    world.burn = 20;
    const plan = await ramp.plan(context());
    const waiting = await drive(plan, 10);
    expect(controls().gate).toBe("paused");
    world.burn = 1.1;
    await drive(plan, 2, { progress: progressOf(waiting) });
    expect(controls()).toMatchObject({ gate: "open", limits: { concurrency: 2 } });
  });

  it("steps back when it returns, and goes on when it is down again", async () => {
    const { ramp, context, drive, controls, world } = aBench();
    const plan = await ramp.plan(context());
    const second = await drive(plan, 7);
    expect(controls().limits.concurrency).toBe(4);
    world.burn = 3;
    const back = await drive(plan, 1, { progress: progressOf(second) });
    expect(controls()).toMatchObject({ gate: "open", limits: { concurrency: 2 } });
    world.burn = 0.5;
    expect(outputOf(await drive(plan, 100, { progress: progressOf(back) }))).toMatchObject({
      steps: [2, 4, 4, 8],
      steps_back: 1,
      verified: true,
    });
  });

  it("closes the gate when it returns at the first stage", async () => {
    const { ramp, context, drive, controls, world } = aBench();
    const plan = await ramp.plan(context());
    const first = await drive(plan, 1);
    world.burn = 3;
    await drive(plan, 1, { progress: progressOf(first) });
    expect(controls()).toMatchObject({ gate: "paused", by: "run:run-1" });
  });

  it("asks a person with the gate closed when it returns too often", async () => {
    const { ramp, context, drive, controls, world } = aBench({ steps_back: 0 });
    const plan = await ramp.plan(context());
    const first = await drive(plan, 1);
    world.burn = 3;
    const asked = await drive(plan, 1, { progress: progressOf(first) });
    expect(asked).toMatchObject({ kind: "ask", answers: ["try_again", "stay_paused"] });
    expect(controls().gate).toBe("paused");
    const stayed = await drive(plan, 1, { progress: progressOf(asked), answer: "stay_paused" });
    expect(outputOf(stayed)).toMatchObject({ verified: false, resumed: false, paused: true });
    world.burn = 0.1;
    expect(outputOf(await drive(plan, 100, { progress: progressOf(asked), answer: "try_again" }))).toMatchObject({ verified: true });
  });

  it.each([
    ["no data", undefined],
    ["NaN", Number.NaN],
    ["no Prometheus", "down" as const],
    ["an incomplete answer", "partial" as const],
  ])("never advances on %s and goes back after a whole stage of it", async (_name, burn) => {
    const { ramp, context, drive, controls, world } = aBench();
    const plan = await ramp.plan(context());
    world.burn = burn;
    await drive(plan, 20);
    expect(controls().gate).toBe("paused");
    world.burn = 0.5;
    const second = await drive(plan, 7);
    expect(controls().limits.concurrency).toBe(4);
    world.burn = burn;
    const blind = await drive(plan, 7, { progress: progressOf(second) });
    expect(controls().limits.concurrency).toBe(2);
    expect(await drive(plan, 7, { progress: progressOf(blind) })).toMatchObject({ kind: "continue", progress: { stepsBack: 0 } });
    expect(controls().gate).toBe("paused");
  });
});

describe("an exhausted budget", () => {
  it("asks a person instead of opening, and asks again while it stays exhausted", async () => {
    const { ramp, context, drive, controls, control } = aBench();
    const plan = await ramp.plan(context());
    const budget = control.of("checkout");
    budget.state = { ...budget.state, spentMicroUsd: 90_000_000, committedMicroUsd: 10_000_000 };
    const asked = await drive(plan, 5);
    expect(asked).toMatchObject({
      kind: "ask",
      question: expect.stringContaining("$100.00 of $100.00"),
      answers: ["limit_raised", "stay_paused"],
    });
    expect(controls().gate).toBe("paused");
    expect(await drive(plan, 1, { progress: progressOf(asked), answer: "limit_raised" })).toMatchObject({ kind: "ask" });
    budget.state = { ...budget.state, budget: { ...budget.state.budget, limitMicroUsd: 200_000_000 } };
    expect(outputOf(await drive(plan, 100, { progress: progressOf(asked), answer: "limit_raised" }))).toMatchObject({ verified: true });
  });

  it("closes again when it runs out during the ramp", async () => {
    const { ramp, context, drive, controls, control } = aBench();
    const plan = await ramp.plan(context());
    const first = await drive(plan, 1);
    const budget = control.of("checkout");
    budget.state = { ...budget.state, spentMicroUsd: 100_000_000 };
    expect(await drive(plan, 1, { progress: progressOf(first) })).toMatchObject({ kind: "ask" });
    expect(controls().gate).toBe("paused");
  });
});

describe("crash, others and undo", () => {
  it("gives the same state when a look runs twice because its progress was lost", async () => {
    const { ramp, context, drive, controls, clock } = aBench();
    const plan = await ramp.plan(context());
    const first = await drive(plan, 1);
    await clock.advance(15 * minute);
    await drive(plan, 1, { progress: progressOf(first) });
    const { version } = controls();
    await drive(plan, 1, { progress: progressOf(first) });
    expect(controls()).toMatchObject({ version, limits: { concurrency: 4 } });
  });

  it("follows its own half-written step when the world changed between the two tries", async () => {
    const { ramp, context, drive, controls, clock, world } = aBench();
    const plan = await ramp.plan(context());
    const first = await drive(plan, 1);
    await clock.advance(15 * minute);
    await drive(plan, 1, { progress: progressOf(first) });
    expect(controls().limits.concurrency).toBe(4);
    world.burn = 9;
    await drive(plan, 1, { progress: progressOf(first) });
    expect(controls()).toMatchObject({ gate: "paused", by: "run:run-1" });
  });

  it("stops when somebody else closes the gate or sets another limit", async () => {
    for (const [concurrency, by] of [
      [2, "ann"],
      [3, "run:run-1"],
    ] as const) {
      const { ramp, context, drive, controls, control, clock } = aBench();
      const plan = await ramp.plan(context());
      const first = await drive(plan, 1);
      control.set("checkout", { gate: "paused", by, limits: { ...controls().limits, concurrency } });
      await clock.advance(15 * minute);
      await expect(drive(plan, 1, { progress: progressOf(first) })).rejects.toMatchObject({
        failure: { reason: "refused_by_target", applied: "no" },
      });
    }
  });

  it("asks before it opens a gate that somebody else has closed", async () => {
    const { ramp, context, drive, controls, control } = aBench();
    const plan = await ramp.plan(context());
    control.set("checkout", { gate: "paused", by: "ann", reason: "keep closed" });
    const asked = await drive(plan, 1);
    expect(asked).toMatchObject({ kind: "ask", question: expect.stringContaining("ann"), answers: ["open", "stay_paused"] });
    expect(controls()).toMatchObject({ gate: "paused", by: "ann" });
    expect(outputOf(await drive(plan, 1, { progress: progressOf(asked), answer: "stay_paused" }))).toMatchObject({ resumed: false });
    await drive(plan, 1, { progress: progressOf(asked), answer: "open" });
    expect(controls()).toMatchObject({ gate: "open", by: "run:run-1", limits: { concurrency: 2 } });
  });

  it("does not raise a limit that somebody lowered while it waited for the burn to come down", async () => {
    const { ramp, context, drive, controls, control, world } = aBench();
    world.burn = 9;
    const plan = await ramp.plan(context());
    const waiting = await drive(plan, 2);
    control.set("checkout", { limits: { ...controls().limits, concurrency: 1 } });
    world.burn = 0.1;
    await expect(drive(plan, 1, { progress: progressOf(waiting) })).rejects.toMatchObject({ failure: { reason: "refused_by_target" } });
  });

  it("goes back to closed with the old limit on undo, from any stage", async () => {
    for (const looks of [1, 7, 100]) {
      const { ramp, context, drive, controls } = aBench();
      const plan = await ramp.plan(context());
      await drive(plan, looks);
      await ramp.undo?.(plan, {}, context());
      expect(controls()).toMatchObject({ gate: "paused", reason: "burn", limits: { concurrency: 8 } });
    }
  });
});
