import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState } from "../../../../test/fakes/fake-budget-control.ts";
import type { ActionContext } from "../../../core/action.ts";

const minute = 60_000;
const usd = 1_000_000;

function open(limitUsd = 100) {
  const state = aBudgetState("checkout");
  const bench = createActionBench({
    ...state,
    spentMicroUsd: 0,
    committedMicroUsd: 0,
    budget: { ...state.budget, limitMicroUsd: limitUsd * usd },
  });
  const act = async (name: string, parameters: { readonly [key: string]: Json } = {}, change: Partial<ActionContext> = {}) => {
    const action = bench.bind(name, { batch: "nightly", ...parameters });
    const plan = await action.plan(bench.context());
    return { action, plan, result: await action.run(plan, bench.context(change)) };
  };
  return { bench, act };
}

describe("actions on one batch", () => {
  it("estimate a draft against what its budget has left, and refuse with the arithmetic what does not fit", async () => {
    expect(outputOf((await open().act("prepare-batch")).result)).toMatchObject({
      state: "draft",
      tickets: 40,
      p90_usd: 8,
      fits: true,
      share: 0.08,
    });
    const small = open(7);
    expect(outputOf((await small.act("prepare-batch")).result)).toMatchObject({
      fits: false,
      arithmetic: expect.stringContaining("$1.00 more than the limit $7.00"),
    });
    await expect(small.act("submit-batch")).rejects.toMatchObject({
      failure: { reason: "refused_by_target", message: expect.stringContaining("= $8.00") },
    });
    await expect(open().act("prepare-batch", { batch: "none" })).rejects.toMatchObject({ failure: { reason: "invalid_parameters" } });
    expect(open().bench.actions.find("prepare-batch")?.bind({ batch: "" })).toMatchObject({ ok: false });
  });

  it("set limits by compare-and-set, say whether one was raised, and put them back", async () => {
    const { bench, act } = open();
    const { action, plan, result } = await act("set-batch-limits", { concurrency: 4, max_cost_usd: 2.5, deadline: "1h" });
    expect(outputOf(result)).toMatchObject({ raised: false });
    expect(plan.changes.map(({ field, after }) => [field, after])).toEqual([
      ["maxCostMicroUsd", 2_500_000],
      ["concurrency", 4],
      ["deadlineAt", bench.clock.now() + 60 * minute],
    ]);
    expect(await action.probe?.(plan, bench.context())).toMatchObject({ kind: "applied" });
    expect(outputOf((await act("set-batch-limits", { concurrency: 5 })).result)).toMatchObject({ raised: true });
    await expect(action.undo?.(plan, {}, bench.context())).rejects.toMatchObject({ failure: { reason: "refused_by_target" } });
    await act("set-batch-limits", { concurrency: 4 });
    await action.undo?.(plan, {}, bench.context());
    expect((await bench.batches.get("nightly"))?.limits).toMatchObject({ concurrency: null, maxCostMicroUsd: null, deadlineAt: null });
    await expect(bench.bind("set-batch-limits", { batch: "nightly" }).plan(bench.context())).rejects.toMatchObject({
      failure: { message: "No limit is named." },
    });
  });

  it("do not apply an old plan over what somebody else decided meanwhile", async () => {
    const { bench, act } = open();
    const pause = bench.bind("pause-batch", { batch: "nightly", reason: "look" });
    const plan = await pause.plan(bench.context());
    await act("set-batch-limits", { concurrency: 4 });
    await expect(pause.run(plan, bench.context())).rejects.toMatchObject({ failure: { reason: "refused_by_target", applied: "no" } });
    expect(await pause.probe?.(plan, bench.context())).toEqual({ kind: "not_applied" });
  });

  it("pause, resume and cancel it; a cancellation is for good", async () => {
    const { bench, act } = open();
    await act("submit-batch");
    const paused = await act("pause-batch", { reason: "look" });
    expect(outputOf(paused.result)).toMatchObject({ paused: true });
    const resumed = await act("resume-batch");
    expect(outputOf(resumed.result)).toMatchObject({ paused: false });
    await resumed.action.undo?.(resumed.plan, {}, bench.context());
    expect(outputOf((await act("resume-batch")).result)).toMatchObject({ paused: false });
    expect(outputOf((await act("cancel-batch", { reason: "wrong list" })).result)).toMatchObject({ state: "cancelled" });
    expect(outputOf((await act("cancel-batch", { reason: "again" })).result)).toMatchObject({ state: "cancelled" });
    await expect(act("resume-batch")).resolves.toMatchObject({ plan: { changes: [] } });
    await expect(act("pause-batch", { reason: "late" })).rejects.toMatchObject({
      failure: { message: "Batch nightly is cancelled; nothing of it changes any more." },
    });
    expect(bench.batchLines).toEqual([
      "batch/nightly: state draft -> open",
      "batch/nightly: gate open -> paused",
      "batch/nightly: gate paused -> open",
      "batch/nightly: gate open -> paused",
      "batch/nightly: gate paused -> open",
      "batch/nightly: state open -> cancelled",
    ]);
  });

  it("submit once however often they are asked", async () => {
    const { bench, act } = open();
    const { action, plan } = await act("submit-batch");
    expect(outputOf(await action.run(plan, bench.context()))).toMatchObject({ state: "open", reserved_usd: 8 });
    expect(await action.probe?.(plan, bench.context())).toMatchObject({ kind: "applied" });
    expect(bench.batchLines).toHaveLength(1);
  });

  it("watch without holding a worker, with a forecast for people, to the end", async () => {
    const { bench, act } = open();
    await act("submit-batch");
    await act("set-batch-limits", { max_failure_ratio: 1 });
    const { action, plan, result } = await act("watch-batch", { every: "1m" });
    expect(result).toMatchObject({
      kind: "continue",
      afterMs: minute,
      progress: { headline: "nightly: 0 % of 40 tickets have ended", note: expect.stringContaining("nightly: 0 of 40") },
    });
    let last = result;
    for (let looks = 0; last.kind === "continue" && looks < 60; looks += 1) {
      await bench.clock.advance(minute);
      last = await action.run(plan, bench.context({ progress: last.progress }));
    }
    expect(outputOf(last)).toMatchObject({
      through: true,
      ended: 40,
      unsuccessful: 4,
      stalled: false,
      stopped: "",
      spent_usd: 4,
      per_minute: 4,
    });
  });

  it("stop watching what has stopped itself, is paused, or stands still", async () => {
    const { bench, act } = open();
    await act("submit-batch");
    await act("pause-batch", { reason: "look" });
    expect(outputOf((await act("watch-batch")).result)).toMatchObject({ through: false, paused: true });
    await act("resume-batch");
    await act("set-batch-limits", { max_failure_ratio: 0.1, min_for_ratio: 10 });
    await bench.clock.advance(20 * minute);
    expect(outputOf((await act("watch-batch")).result)).toMatchObject({ through: false, stopped: "batch_failures" });
    await act("set-batch-limits", { max_failure_ratio: 1 });
    const { action, plan, result } = await act("watch-batch", { stalled_after: "10s" });
    await bench.clock.advance(11_000);
    expect(
      outputOf(await action.run(plan, bench.context({ progress: result.kind === "continue" ? result.progress : null }))),
    ).toMatchObject({ stalled: true, through: false });
  });

  it("find the batches of a queue that are not through, and refuse to look at everything", async () => {
    const { bench, act } = open();
    expect((await act("watch-batch", { batch: "", queue: "fast" })).plan.targets).toEqual([]);
    await act("submit-batch");
    expect((await act("watch-batch", { batch: "", queue: "fast" })).plan.targets).toEqual(["batch/nightly"]);
    expect((await act("watch-batch", { batch: "", queue: "slow" })).plan.targets).toEqual([]);
    await expect(bench.bind("watch-batch", {}).plan(bench.context())).rejects.toMatchObject({
      failure: { message: "Neither a batch nor a queue is named." },
    });
  });

  it("add up what has ended, and do not call settled what has not", async () => {
    const { bench, act } = open();
    await act("submit-batch");
    await act("set-batch-limits", { max_failure_ratio: 1, max_cost_usd: 3.99 });
    expect(outputOf((await act("reconcile-batch")).result)).toMatchObject({ settled: false, reserved_usd: 8, within_limit: true });
    await act("set-batch-limits", { max_cost_usd: 9 });
    await bench.clock.advance(11 * minute);
    expect(outputOf((await act("reconcile-batch")).result)).toMatchObject({
      settled: true,
      reserved_usd: 0,
      by_state: { succeeded: 36, failed: 4 },
      spent_usd: 4,
    });
  });

  it("hand in again what may work the next time, at most twice, and nothing else", async () => {
    const { bench, act } = open();
    await act("submit-batch");
    await act("set-batch-limits", { max_failure_ratio: 1 });
    await bench.clock.advance(11 * minute);
    const first = await act("handle-batch-failures");
    expect(outputOf(first.result)).toEqual({
      batch: "nightly",
      classes: { provider_rate_limit: 2, invalid_request: 1, refusal: 1 },
      again: 2,
      again_batch: "nightly-again-1",
      dead_letters: 1,
      for_people: 1,
      cost_incident: 0,
    });
    await first.action.run(first.plan, bench.context());
    expect(await first.action.probe?.(first.plan, bench.context())).toMatchObject({ kind: "applied" });
    expect(bench.batchLines.filter((line) => line.includes("again"))).toEqual([
      "batch/nightly-again-1: 2 tickets of nightly again",
      "batch/nightly-again-1: state draft -> open",
    ]);
  });
});
