import { describe, expect, it } from "@jest/globals";
import type { BudgetLimits } from "../../../../packages/sdk/src/wire/budgets.ts";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState } from "../../../../test/fakes/fake-budget-control.ts";

function aBench(limits: Partial<BudgetLimits>, running = 0) {
  const bench = createActionBench(aBudgetState("checkout", { running }));
  bench.control.set("checkout", { limits: { ...bench.control.of("checkout").state.controls.limits, ...limits } });
  return {
    ...bench,
    limit: (parameters: { readonly [key: string]: Json }) => bench.bind("set-limits", { budget: "checkout", ...parameters }),
  };
}

describe("lowering", () => {
  it("sets absolute limits where there was none or a higher one", async () => {
    const { limit, context, control } = aBench({ concurrency: 8 });
    const action = limit({ concurrency: 4, rate_per_minute: 30, per_ticket_cap_usd: 0.25, max_attempts: 1 });
    const plan = await action.plan(context());
    expect(plan.changes).toEqual([
      { target: "budget/checkout", field: "concurrency", before: 8, after: 4 },
      { target: "budget/checkout", field: "ratePerMinute", before: null, after: 30 },
      { target: "budget/checkout", field: "perTicketCapMicroUsd", before: null, after: 250_000 },
      { target: "budget/checkout", field: "maxAttempts", before: null, after: 1 },
    ]);
    expect(outputOf(await action.run(plan, context()))).toMatchObject({
      concurrency: 4,
      per_ticket_cap_usd: 0.25,
      lowered: ["concurrency", "rate_per_minute", "per_ticket_cap_usd", "max_attempts"],
      kept: [],
    });
    expect(control.of("checkout").state.controls.limits).toEqual({
      concurrency: 4,
      ratePerMinute: 30,
      perTicketCapMicroUsd: 250_000,
      perMinuteCapMicroUsd: null,
      maxAttempts: 1,
    });
  });

  it("never raises a limit and says which stayed", async () => {
    const { limit, context, control } = aBench({ concurrency: 2, maxAttempts: 3 });
    const action = limit({ concurrency: 10, max_attempts: 1 });
    const plan = await action.plan(context());
    expect(plan.changes.map((change) => change.field)).toEqual(["maxAttempts"]);
    expect(outputOf(await action.run(plan, context()))).toMatchObject({
      concurrency: 2,
      max_attempts: 1,
      kept: ["concurrency"],
      lowered: ["max_attempts"],
    });
    expect(control.of("checkout").state.controls.limits.concurrency).toBe(2);
  });

  it("scales the limit of concurrency and of the rate", async () => {
    const { limit, context } = aBench({ concurrency: 9, ratePerMinute: 61 });
    const action = limit({ scale: 0.25 });
    expect(outputOf(await action.run(await action.plan(context()), context()))).toMatchObject({ concurrency: 2, rate_per_minute: 15 });
  });

  it("scales what the snapshot of this run saw when there is no limit, and never below one", async () => {
    const { limit, context } = aBench({});
    const results = {
      snap: { budget: "checkout", running: 12, limits: {} },
      other: { budget: "search", running: 99, limits: {} },
      paused: { budget: "checkout", running: 50 },
    };
    const half = limit({ scale: 0.5 });
    expect(outputOf(await half.run(await half.plan(context({ results })), context({ results })))).toMatchObject({ concurrency: 6 });
    const all = aBench({}).limit({ scale: 1 });
    expect((await all.plan(context({ results }))).changes).toMatchObject([{ field: "concurrency", before: null, after: 12 }]);
    const tiny = aBench({}, 1).limit({ scale: 0.1 });
    expect((await tiny.plan(context())).changes[0]?.after).toBe(1);
  });

  it("refuses a scale of nothing and a call that names no limit", async () => {
    const { limit, context } = aBench({});
    await expect(limit({ scale: 0.5 }).plan(context())).rejects.toMatchObject({ failure: { reason: "invalid_parameters", applied: "no" } });
    await expect(limit({}).plan(context())).rejects.toMatchObject({ failure: { message: expect.stringContaining("max_attempts") } });
  });

  it.each([
    { concurrency: 0 },
    { concurrency: -1 },
    { concurrency: 1.5 },
    { scale: 1.1 },
    { scale: 0 },
    { per_ticket_cap_usd: "5" },
    { unknown: 1 },
  ])("refuses %j", (parameters) => {
    expect(
      aBench({})
        .actions.find("set-limits")
        ?.bind({ budget: "checkout", ...parameters }),
    ).toMatchObject({ ok: false });
  });
});

describe("crash and others", () => {
  it("is done when it runs again", async () => {
    const { limit, context, control } = aBench({ concurrency: 8 });
    const action = limit({ scale: 0.5 });
    const plan = await action.plan(context());
    await action.run(plan, context());
    expect(outputOf(await action.run(plan, context()))).toMatchObject({ concurrency: 4, lowered: ["concurrency"] });
    expect(control.of("checkout").state.controls.limits.concurrency).toBe(4);
    expect(await action.probe?.(plan, context())).toMatchObject({ kind: "applied", output: { concurrency: 4 } });
  });

  it("leaves a third value alone", async () => {
    const { limit, context, control } = aBench({ concurrency: 8 });
    const action = limit({ concurrency: 4 });
    const plan = await action.plan(context());
    control.set("checkout", { limits: { ...control.of("checkout").state.controls.limits, concurrency: 3 } });
    await expect(action.run(plan, context())).rejects.toMatchObject({ failure: { reason: "refused_by_target" } });
    expect(control.of("checkout").state.controls.limits.concurrency).toBe(3);
    expect(await action.probe?.(plan, context())).toEqual({ kind: "not_applied" });
  });
});
