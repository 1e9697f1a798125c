import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { newTicketSchema } from "../../../../packages/sdk/src/wire/tickets.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState } from "../../../../test/fakes/fake-budget-control.ts";
import { parseStagedWork, storedWork } from "../staged-work.ts";
import { lostReason } from "../ticket.ts";

/** One ticket that was lost in the middle of implement, with its plan saved and work in its workspace. */
async function open(queue = "fast") {
  const bench = createActionBench(aBudgetState("checkout"));
  const { tickets, checkpoints, clock } = bench;
  await tickets.add(newTicketSchema.parse({ id: "GH-1", budget: "checkout", queue, variant: "canary" }));
  await tickets.claim("GH-1", "dead worker");
  await checkpoints.open("GH-1");
  const plan = await checkpoints.save("GH-1", { stage: "plan", green: false, conversation: "planned" });
  const done = plan === undefined ? [] : [{ stage: "plan" as const, n: plan.n, commit: plan.commit, tree: plan.tree }];
  await tickets.write("GH-1", "dead worker", {
    state: "running",
    stage: "implement",
    turn: 1,
    saved: storedWork({ ...parseStagedWork(null), done }),
  });
  checkpoints.write("GH-1", { "half.txt": "half" });
  await clock.advance(300_000);
  const run = async (name: string, parameters: { readonly [key: string]: Json }, runId = "run-1") => {
    const action = bench.bind(name, parameters);
    const context = bench.context({ runId });
    const made = await action.plan(context);
    return { made, action, context, output: outputOf(await action.run(made, context)) };
  };
  return { ...bench, run };
}

const of = { tickets: ["GH-1"] };

describe("the recovery of a ticket", () => {
  it("finds it, keeps its work, and gives it back with the same variant from where it was", async () => {
    const { run, tickets, checkpoints, rung } = await open();
    const { output: found } = await run("find-failure-point", { queue: "fast", stage: "implement" });
    expect(found).toMatchObject({
      found: 1,
      tickets: ["GH-1"],
      failure_class: "worker_lost",
      stage: "implement",
      most_attempts: 1,
      published: 0,
    });
    const { output: kept } = await run("preserve-work", of);
    expect(kept).toMatchObject({ tickets: ["GH-1"], preserved: 1, sent: 1, broken: 0, skipped: [] });
    const partial = (await checkpoints.list("GH-1"))[1];
    expect(kept["checkpoints"]).toEqual([
      expect.objectContaining({
        ticket: "GH-1",
        ref: "refs/checkpoints/GH-1/2",
        tree: partial?.kind === "whole" ? partial.checkpoint.tree : "",
      }),
    ]);
    expect(partial?.kind === "whole" ? await checkpoints.conversation(partial.checkpoint) : "").toBe("planned");
    expect((await run("roll-back-work", of)).output).toEqual({ rolled_back: 0, kept: 1, omitted: [], withdrawn: [] });
    expect((await run("fix-failure-cause", of)).output).toMatchObject({ concurrency: null, needs_person: 0 });
    const { output, action, made, context } = await run("resume-tickets", of);
    expect(output).toMatchObject({ resumed: 1, moving: 0, quarantined: 0, held: 0 });
    expect(rung).toEqual(["GH-1"]);
    const ticket = await tickets.get("GH-1");
    expect(ticket).toMatchObject({ state: "queued", attempt: 2, variant: "canary", failures: ["worker_lost", "recovered/worker_lost"] });
    expect(parseStagedWork(ticket?.saved ?? null)).toMatchObject({ done: [{ stage: "plan", n: 1 }], resume: { n: 2 } });
    await tickets.claim("GH-1", "other worker");
    await tickets.write("GH-1", "other worker", { state: "running", turn: 2 });
    expect(await action.probe?.(made, context)).toMatchObject({ kind: "applied", output: { moving: 1 } });
  });

  it("says in each step what no checkpoint can keep, and leaves it with the ticket", async () => {
    const { run, tickets, checkpoints } = await open();
    const paths = Array.from({ length: 23 }, (_, index) => `lib${index} (changes inside a submodule)`);
    checkpoints.omit("GH-1", paths);
    const shown = [...paths.slice(0, 20), "and 3 more"];
    expect((await run("preserve-work", of)).output).toMatchObject({ preserved: 1, omitted: [{ ticket: "GH-1", paths: shown }] });
    expect((await run("roll-back-work", of)).output).toMatchObject({ omitted: [] });
    expect((await run("resume-tickets", of)).output).toMatchObject({ tickets: [{ ticket: "GH-1", checkpoint: 2, omitted: shown }] });
    expect(parseStagedWork((await tickets.get("GH-1"))?.saved ?? null)).toMatchObject({ resume: { n: 2, omitted: shown } });
  });

  it("says what the checkpoint does not hold that a ticket is rolled back to", async () => {
    const { run, tickets, checkpoints } = await open();
    checkpoints.omit("GH-1", ["lib (changes inside a submodule)"]);
    await checkpoints.save("GH-1", { stage: "test", green: true, conversation: "" });
    await tickets.write("GH-1", "dead worker", { state: "waiting", reason: "test_failure: 2 of 9" });
    const { output } = await run("roll-back-work", of);
    expect(output).toMatchObject({ rolled_back: 1, omitted: [{ ticket: "GH-1", paths: ["lib (changes inside a submodule)"] }] });
  });

  it("is the same when every step is done twice, as after a crash", async () => {
    const { run, tickets, checkpoints } = await open();
    const names = ["preserve-work", "roll-back-work", "fix-failure-cause", "resume-tickets"];
    for (const name of names) {
      const { action, made, context } = await run(name, of);
      await action.run(made, context);
      await action.probe?.(made, context);
    }
    expect(await checkpoints.list("GH-1")).toHaveLength(2);
    expect(await tickets.get("GH-1")).toMatchObject({ state: "queued", attempt: 2, failures: ["worker_lost", "recovered/worker_lost"] });
  });

  it("leaves alone what somebody works on, and what another run took meanwhile", async () => {
    const { run, tickets, bind, context } = await open();
    await tickets.write("GH-1", "dead worker", { stage: "implement" });
    expect((await run("preserve-work", of)).output).toMatchObject({ tickets: [], skipped: ["GH-1"] });
    expect((await run("find-failure-point", { queue: "fast" })).output).toMatchObject({ found: 0, tickets: [] });
    await tickets.write("GH-1", "dead worker", { state: "waiting", reason: lostReason });
    await run("preserve-work", of, "run-1");
    const action = bind("resume-tickets", of);
    const plan = await action.plan(context({ runId: "run-1" }));
    await run("preserve-work", of, "run-2");
    await action.run(plan, context({ runId: "run-1" }));
    expect(await tickets.get("GH-1")).toMatchObject({ state: "waiting", reason: "recovery" });
    expect(await action.probe?.(plan, context({ runId: "run-1" }))).toEqual({ kind: "not_applied" });
  });

  it("sets aside what came again, and tells it to the gate through a worker", async () => {
    const { run, tickets, rung, clock } = await open();
    await tickets.write("GH-1", "dead worker", { failures: ["recovered/worker_lost"] });
    await clock.advance(300_000);
    await run("preserve-work", of);
    expect((await run("resume-tickets", of)).output).toMatchObject({ resumed: 0, quarantined: 1 });
    expect(await tickets.get("GH-1")).toMatchObject({ state: "quarantined", reason: expect.stringMatching(/^worker_lost: /) });
    expect(rung).toEqual(["GH-1"]);
  });

  it("finds dead tickets of a queue by their class, and not those that wait for money", async () => {
    const { run, tickets } = await open("slow");
    for (const [id, reason, queue] of [
      ["A", "tool_error: npm ENOENT", "fast"],
      ["B", "ticket_cap", "fast"],
      ["C", "test_failure: 2 of 9", "fast"],
      ["D", "tool_error", "other"],
    ] as const) {
      await tickets.add(newTicketSchema.parse({ id, budget: "checkout", queue }));
      await tickets.claim(id, "w");
      await tickets.write(id, "w", { state: "dead", reason });
    }
    expect((await run("find-failure-point", { queue: "fast", failure_class: "tool_error" })).output).toMatchObject({ tickets: ["A"] });
    expect((await run("find-failure-point", { queue: "fast", failure_class: "budget_cut" })).output).toMatchObject({ tickets: [] });
    expect((await run("find-failure-point", { queue: "fast", limit: 1 })).output).toMatchObject({ found: 2, tickets: ["C"] });
  });

  it("touches nothing without the repository, and says what to set", async () => {
    const { ports, context, actions } = await open();
    const { createActions } = await import("../../../app/action-registry.ts");
    expect(actions.names).toContain("preserve-work");
    const bound = createActions({ ...ports, tickets: { ...ports.tickets, checkpoints: undefined } })
      .find("preserve-work")
      ?.bind(of);
    await expect(bound?.ok === true ? bound.action.plan(context()) : undefined).rejects.toThrow(/RUNBOOKD_TICKET_REPOSITORY/);
    expect(createActions(ports).find("preserve-work")?.bind({ tickets: [] })).toMatchObject({ ok: false });
  });
});
