import { beforeEach, describe, expect, it } from "@jest/globals";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { contractTimes } from "../../../../test/contracts/describe-budget-ledger.ts";
import { holdRedis } from "../../../../test/servers/hold-redis.ts";
import { type Actions, createActions } from "../../../app/action-registry.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import type { BudgetLedger } from "../budget-ledger.ts";
import { createBudgetLedger } from "../redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);
let ledger: BudgetLedger;
let actions: Actions;
let bench: ReturnType<typeof createActionBench>;

beforeEach(async () => {
  await held.redis.flushall();
  bench = createActionBench();
  const counts = { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 2, queues: ["tickets"], batches: [] })) };
  ledger = createBudgetLedger({ redis: held.redis, clock: bench.clock, times: contractTimes, counts });
  await ledger.define({ id: "checkout", limitMicroUsd: 1_000_000, periodMs: 3_600_000, periodStartsAt: bench.clock.now() });
  actions = createActions({ ...bench.ports, budgets: ledger });
});

async function run(
  name: string,
  parameters: { readonly [key: string]: Json } = {},
  change: Partial<ActionContext> = {},
): Promise<ActionResult> {
  const action = bound(name, parameters);
  return action.run(await action.plan(bench.context(change)), bench.context(change));
}

function bound(name: string, parameters: { readonly [key: string]: Json } = {}) {
  const result = actions.find(name)?.bind({ budget: "checkout", ...parameters });
  if (result?.ok !== true) throw new Error(`${name} cannot be bound: ${JSON.stringify(result)}`);
  return result.action;
}

const controls = async () => (await ledger.read("checkout"))?.controls;
const ask = (ticketId: string) => ledger.admit({ ticketId, budget: "checkout", estimateMicroUsd: 10_000 });

describe("on the real ledger", () => {
  it("a pause keeps new tickets out, and survives a second run", async () => {
    const pause = bound("pause-batches", { reason: "burn", for: "1h" });
    const plan = await pause.plan(bench.context());
    const first = outputOf(await pause.run(plan, bench.context()));
    expect(first).toMatchObject({ paused: true, queued: 2 });
    expect(outputOf(await pause.run(plan, bench.context({ attempt: 2 })))).toEqual(first);
    expect((await ask("T-1")).kind).toBe("wait");
    expect(await controls()).toMatchObject({ gate: "paused", pausedUntil: bench.clock.now() + 3_600_000 });
  });

  it("a stop reaches the ticket that runs at its next turn, and a ticket that begins later not", async () => {
    await ask("T-1");
    await bench.clock.advance(1000);
    const cancel = bound("cancel-tickets");
    const plan = await cancel.plan(bench.context());
    expect(outputOf(await cancel.run(plan, bench.context()))).toMatchObject({ found: 1, running: 1 });
    expect((await ledger.admit({ ticketId: "T-1", budget: "checkout", estimateMicroUsd: 10_000, turn: 1 })).kind).toBe("stop");
    await ledger.release({ ticketId: "T-1", budget: "checkout" });
    await bench.clock.advance(1000);
    await ask("T-2");
    expect(await cancel.probe?.(plan, bench.context())).toMatchObject({ kind: "applied", output: { running: 0, stopped: 1 } });
  });

  it("limits are stored as the ledger reads them, and scaled ones stay whole", async () => {
    await run("set-limits", { concurrency: 9, rate_per_minute: 61 });
    const output: ActionOutput = outputOf(await run("set-limits", { scale: 0.25, per_ticket_cap_usd: 0.0000015, max_attempts: 2 }));
    expect(output).toMatchObject({ concurrency: 2, rate_per_minute: 15, max_attempts: 2 });
    expect((await controls())?.limits).toMatchObject({ concurrency: 2, ratePerMinute: 15, perTicketCapMicroUsd: 2, maxAttempts: 2 });
  });

  it("a ramp opens the gate stage by stage", async () => {
    await run("set-limits", { concurrency: 4 });
    await run("pause-batches", { reason: "burn" });
    const ramp = bound("resume-with-ramp", { every: "10m" });
    const plan = await ramp.plan(bench.context());
    let result = await ramp.run(plan, bench.context());
    expect(await controls()).toMatchObject({ gate: "open", limits: { concurrency: 1 } });
    while (result.kind === "continue") {
      await bench.clock.advance(result.afterMs);
      result = await ramp.run(plan, bench.context({ progress: result.progress }));
    }
    expect(outputOf(result)).toMatchObject({ steps: [1, 2, 4], verified: true, final_concurrency: 4 });
    await ramp.undo?.(plan, {}, bench.context());
    expect(await controls()).toMatchObject({ gate: "paused", reason: "burn", limits: { concurrency: 4 } });
  });

  it("a ramp asks when the budget is exhausted", async () => {
    await ledger.admit({ ticketId: "T-1", budget: "checkout", estimateMicroUsd: 1_000_000 });
    await run("pause-batches", { reason: "burn" });
    expect(await run("resume-with-ramp")).toMatchObject({ kind: "ask", question: expect.stringContaining("$1.00 of $1.00") });
  });

  it("an old plan cannot be applied over a newer decision", async () => {
    const pause = bound("pause-batches", { reason: "burn" });
    const plan = await pause.plan(bench.context());
    await run("pause-batches", { reason: "other" }, { runId: "run-2" });
    await run("resume-batches", {}, { runId: "run-2" });
    await expect(pause.run(plan, bench.context())).rejects.toMatchObject({ failure: { reason: "refused_by_target", applied: "no" } });
    expect(await controls()).toMatchObject({ gate: "open" });
  });

  it("a snapshot reads it all", async () => {
    await ask("T-1");
    expect(outputOf(await run("take-snapshot"))).toMatchObject({
      running: 1,
      queued: 2,
      committed_usd: 0.01,
      queues: ["default", "tickets"],
      tickets: ["T-1"],
    });
  });
});
