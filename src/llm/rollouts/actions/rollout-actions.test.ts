import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import type { ActionResult, BoundAction } from "../../../core/action.ts";
import { dayMs } from "../../../core/duration.ts";

type Bench = ReturnType<typeof createActionBench>;

const route = "implement";
const to = "anthropic/claude-new";
const name = { kind: "model", route } as const;

async function planned(bench: Bench, parameters: { readonly [key: string]: Json } = {}) {
  bench.route.ticketsPerMinute = 1;
  const action = bench.bind("plan-rollout", { route, to, ...parameters });
  const plan = await action.plan(bench.context());
  const { rollout } = outputOf(await action.run(plan, bench.context()));
  if (typeof rollout !== "string") throw new Error("The plan names no rollout.");
  const id = rollout;
  return { id, action, plan, read: () => bench.ports.rolloutStore.read(id), trial: () => bench.ports.shareControls.model?.trialOf(name) };
}

/** Polls until the step is done or asks. */
async function pollOn(
  bench: Bench,
  action: BoundAction,
  before: { readonly progress?: Json; readonly answer?: string } = {},
): Promise<ActionResult> {
  const plan = await action.plan(bench.context());
  let { progress } = before;
  let { answer } = before;
  for (let polls = 0; polls < 4000; polls += 1) {
    const result = await action.run(plan, bench.context({ progress, answer }));
    if (result.kind !== "continue") return result;
    progress = result.progress;
    answer = undefined;
    await bench.clock.advance(result.afterMs);
  }
  throw new Error("The step came to no end in 400 polls.");
}

describe("look-at-rollout", () => {
  it("tells nothing, a share that a person set, and a rollout apart", async () => {
    const bench = createActionBench();
    const look = bench.bind("look-at-rollout", { route });
    const seen = async () => outputOf(await look.run(await look.plan(bench.context()), bench.context()));
    expect(await seen()).toMatchObject({ state: "none", rollout: "", share: 0 });
    const { id } = await planned(bench);
    expect(await seen()).toMatchObject({ state: "planned", rollout: id, to, share: 0 });
    const other = createActionBench();
    const subject = { ...name, from: { provider: "anthropic", model: "claude-old" }, to: { provider: "anthropic", model: "claude-new" } };
    await other.ports.shareControls.model?.set({ subject, salt: "ada", rollout: undefined, by: "ada" }, 0.3);
    const lookThere = other.bind("look-at-rollout", { route });
    expect(outputOf(await lookThere.run(await lookThere.plan(other.context()), other.context()))).toMatchObject({
      state: "unmanaged",
      rollout: "",
      share: 0.3,
    });
  });
});

describe("plan-rollout", () => {
  it("makes one rollout however often it runs, and ends it once in its undo", async () => {
    const bench = createActionBench();
    const { id, action, plan, read } = await planned(bench);
    expect(outputOf(await action.run(plan, bench.context()))).toMatchObject({ rollout: id });
    expect(await bench.ports.rolloutStore.list()).toHaveLength(1);
    await action.undo?.(plan, { rollout: id }, bench.context());
    await action.undo?.(plan, { rollout: id }, bench.context());
    expect(await read()).toMatchObject({ state: "rolled_back", decisions: [{ reason: "undone" }] });
  });

  it("leaves the rollout of another run alone in its undo", async () => {
    const bench = createActionBench();
    const { id, action, plan, read } = await planned(bench);
    await action.undo?.(plan, { rollout: id }, bench.context({ runId: "run-2" }));
    expect(await read()).toMatchObject({ state: "planned" });
  });

  it("refuses a second rollout, the present model, and steps that do not grow", async () => {
    const bench = createActionBench();
    await expect(bench.bind("plan-rollout", { route, to: "anthropic/claude-old" }).plan(bench.context())).rejects.toThrow("already");
    await expect(bench.bind("plan-rollout", { route: "none", to }).plan(bench.context())).rejects.toThrow("no route/none");
    expect(bench.actions.find("plan-rollout")?.bind({ route, to, steps: [0.5, 0.1] })).toMatchObject({ ok: false });
    await planned(bench);
    await expect(bench.bind("plan-rollout", { route, to }).plan(bench.context())).rejects.toThrow("one rollout at a time");
  });
});

describe("a rollout's actions", () => {
  it("open, run, watch and complete an equal model", async () => {
    const bench = createActionBench();
    const { id, read, trial } = await planned(bench);
    const open = bench.bind("open-rollout", { rollout: id });
    const openPlan = await open.plan(bench.context());
    expect(await open.probe?.(openPlan, bench.context())).toEqual({ kind: "not_applied" });
    expect(outputOf(await open.run(openPlan, bench.context()))).toMatchObject({ share: 0, followers: 3, followers_current: 3 });
    expect(await open.probe?.(openPlan, bench.context())).toMatchObject({ kind: "applied" });
    const tenth = bench.bind("run-rollout", { rollout: id, until: 0.1 });
    expect(outputOf(await pollOn(bench, tenth))).toMatchObject({ state: "running", share: 0.1, proven: false });
    await expect(bench.bind("complete-rollout", { rollout: id }).plan(bench.context())).rejects.toThrow("has not shown yet");
    const all = bench.bind("run-rollout", { rollout: id });
    expect(outputOf(await pollOn(bench, all))).toMatchObject({ state: "running", share: 0.95, proven: true });
    const watch = bench.bind("watch-rollout", { rollout: id, for: "1d" });
    expect(outputOf(await pollOn(bench, watch))).toMatchObject({ worse: false });
    const complete = bench.bind("complete-rollout", { rollout: id });
    const plan = await complete.plan(bench.context());
    await complete.run(plan, bench.context());
    expect(outputOf(await complete.run(plan, bench.context()))).toEqual({ rollout: id, state: "promoted", to });
    expect(await complete.probe?.(plan, bench.context())).toMatchObject({ kind: "applied" });
    expect(await trial()).toBeUndefined();
    await complete.undo?.(plan, {}, bench.context());
    await complete.undo?.(plan, {}, bench.context());
    expect(await read()).toMatchObject({ state: "rolled_back" });
    expect(await bench.ports.routes.read(route)).toMatchObject({ baseline: { model: "claude-old" }, candidate: null });
  });

  it("set the share that a process did not come to after it had written the step", async () => {
    const bench = createActionBench();
    const { id, read, trial } = await planned(bench);
    await bench.ports.rolloutStore.change({ id, expected: 1, set: { state: "running", step: 0, stepSince: bench.clock.now() } });
    const run = bench.bind("run-rollout", { rollout: id });
    expect(await run.run(await run.plan(bench.context()), bench.context())).toMatchObject({ kind: "continue" });
    expect(await read()).toMatchObject({ step: 0 });
    expect(await trial()).toMatchObject({ share: 0.05, rollout: id });
  });

  it("leave a third value of somebody else alone", async () => {
    const bench = createActionBench();
    const { id } = await planned(bench);
    const run = bench.bind("run-rollout", { rollout: id });
    const plan = await run.plan(bench.context());
    const other = { provider: "anthropic", model: "claude-third" };
    const subject = { ...name, from: { provider: "anthropic", model: "claude-old" }, to: other };
    await bench.ports.shareControls.model?.set({ subject, salt: "ada", rollout: undefined, by: "ada" }, 0.3);
    const refused = { failure: { reason: "refused_by_target", applied: "no" } };
    await expect(run.run(plan, bench.context())).rejects.toMatchObject(refused);
    await expect(run.undo?.(plan, {}, bench.context())).rejects.toMatchObject(refused);
    expect(await bench.ports.routes.read(route)).toMatchObject({ candidate: { ...other, share: 0.3 } });
  });

  it("ask when no ticket comes, go on when a person says wait, and take back when a person says so", async () => {
    const bench = createActionBench();
    const { id, read, trial } = await planned(bench);
    bench.route.ticketsPerMinute = 0;
    const run = bench.bind("run-rollout", { rollout: id });
    const asked = await pollOn(bench, run);
    if (asked.kind !== "ask") throw new Error("It does not ask.");
    expect(asked).toMatchObject({ answers: ["wait", "take_back"], progress: { asked: true } });
    const again = await pollOn(bench, run, { progress: asked.progress, answer: "wait" });
    if (again.kind !== "ask") throw new Error("It does not ask again.");
    expect(await read()).toMatchObject({ state: "running" });
    const back = outputOf(await pollOn(bench, run, { progress: again.progress, answer: "take_back" }));
    expect(back).toMatchObject({ state: "rolled_back", share: 0, proven: false });
    expect(await trial()).toBeUndefined();
    await expect(run.plan(bench.context())).rejects.toThrow("does not grow any more");
  });

  it("hold when many tickets show neither good nor bad, and compare more when a person says wait", async () => {
    const bench = createActionBench();
    const { id, read } = await planned(bench, { steps: [0.5, 1] });
    bench.route.ticketsPerMinute = 0.1;
    bench.route.candidateQuality = 0.85;
    const present = await read();
    if (present === undefined) throw new Error("There is no rollout.");
    await bench.ports.rolloutStore.change({ id, expected: 1, set: { plan: { ...present.plan, maxTickets: 30 } } });
    const run = bench.bind("run-rollout", { rollout: id });
    const asked = await pollOn(bench, run);
    if (asked.kind !== "ask") throw new Error("It does not ask.");
    expect(asked.question).toContain("neither good nor bad");
    expect(await read()).toMatchObject({ state: "holding" });
    const plan = await run.plan(bench.context());
    const next = await run.run(plan, bench.context({ progress: asked.progress, answer: "wait" }));
    expect(next).toMatchObject({ kind: "continue" });
    const resumed = await read();
    expect(resumed).toMatchObject({ state: "running" });
    expect(resumed?.plan.maxTickets).toBeGreaterThan(600);
  });

  it("see a regression of the last step against the holdback", async () => {
    const bench = createActionBench();
    const { id } = await planned(bench, { steps: [0.5, 1] });
    await pollOn(bench, bench.bind("run-rollout", { rollout: id }));
    bench.route.candidateQuality = 0.3;
    const watch = bench.bind("watch-rollout", { rollout: id, for: "3d" });
    const start = bench.clock.now();
    expect(outputOf(await pollOn(bench, watch))).toMatchObject({ worse: true, reason: expect.stringContaining("points lower") });
    expect(bench.clock.now() - start).toBeLessThan(3 * dayMs);
  });
});

describe("roll-back-rollout", () => {
  it("takes a rollout back and counts no new ticket of the candidate", async () => {
    const bench = createActionBench();
    const { id, read, trial } = await planned(bench);
    const run = bench.bind("run-rollout", { rollout: id });
    await run.run(await run.plan(bench.context()), bench.context());
    await bench.clock.advance(dayMs);
    const back = bench.bind("roll-back-rollout", { route });
    const plan = await back.plan(bench.context());
    expect(await back.probe?.(plan, bench.context())).toEqual({ kind: "not_applied" });
    expect(outputOf(await pollOn(bench, back))).toEqual({
      rollout: id,
      state: "rolled_back",
      new_canary_tickets: 0,
      counted_by: "rollout",
    });
    expect(await back.probe?.(plan, bench.context())).toMatchObject({ kind: "applied" });
    expect(await read()).toMatchObject({
      state: "rolled_back",
      decisions: expect.arrayContaining([expect.objectContaining({ reason: "taken_back" })]),
    });
    expect(await trial()).toBeUndefined();
  });

  it("counts the new tickets of a rollout that has ended since, and leaves one that was promoted as it is", async () => {
    const bench = createActionBench();
    const { id, read } = await planned(bench);
    await bench.ports.rolloutStore.change({ id, expected: 1, set: { state: "promoted" } });
    const back = bench.bind("roll-back-rollout", { route });
    expect(outputOf(await pollOn(bench, back))).toMatchObject({ rollout: id, new_canary_tickets: 0, counted_by: "rollout" });
    expect(await read()).toMatchObject({ state: "promoted" });
  });

  const subject = { ...name, from: { provider: "anthropic", model: "claude-old" }, to: { provider: "anthropic", model: "claude-new" } };
  const none = { rollout: "", state: "none" };

  async function setByAPerson(reported: boolean) {
    const bench = createActionBench();
    bench.route.trial = { model: subject.to, share: 0.3, rollout: "none", reported, newTickets: 0 };
    await bench.ports.shareControls.model?.set({ subject, salt: "ada", rollout: undefined, by: "ada" }, 0.3);
    const back = bench.bind("roll-back-rollout", { route });
    return { bench, back, trial: async () => bench.ports.shareControls.model?.trialOf(name) };
  }

  it("takes a share back that a person has set, and counts its new tickets by their usage", async () => {
    const { bench, back, trial } = await setByAPerson(true);
    expect(outputOf(await pollOn(bench, back))).toEqual({ ...none, new_canary_tickets: 0, counted_by: "usage" });
    expect(await trial()).toBeUndefined();
    expect(outputOf(await pollOn(bench, back))).toEqual({ ...none, new_canary_tickets: null, counted_by: "none" });
  });

  it("asks people while no usage of such a candidate is reported, until they see that it is gone", async () => {
    const { bench, back, trial } = await setByAPerson(false);
    const plan = await back.plan(bench.context());
    const asked = async (progress: Json, answer?: string) => {
      const result = await back.run(plan, bench.context({ progress, answer }));
      if (result.kind !== "ask") throw new Error(`Expected a question, got ${JSON.stringify(result)}.`);
      return result;
    };
    const first = await back.run(plan, bench.context());
    if (first.kind !== "continue") throw new Error("Expected it to wait.");
    expect(await trial()).toBeUndefined();
    await bench.clock.advance(first.afterMs);
    const question = await asked(first.progress);
    expect(question.question).toContain("no usage of it was reported");
    await asked(question.progress, "some_begin");
    expect(outputOf(await back.run(plan, bench.context({ progress: question.progress, answer: "none_begin" })))).toEqual({
      ...none,
      new_canary_tickets: 0,
      counted_by: "person",
    });
  });
});

describe("watch-rollout", () => {
  it("ends as worse when tickets are not split as the shares say", async () => {
    const bench = createActionBench();
    const { id, read } = await planned(bench);
    const run = bench.bind("run-rollout", { rollout: id });
    await run.run(await run.plan(bench.context()), bench.context());
    const watch = bench.bind("watch-rollout", { rollout: id, for: "1d" });
    const first = await watch.run(await watch.plan(bench.context()), bench.context());
    if (first.kind !== "continue") throw new Error("Expected it to watch.");
    expect(first.early).toBe(true);
    bench.route.candidateLost = 0.95;
    await bench.clock.advance(8 * dayMs);
    expect(outputOf(await pollOn(bench, watch, { progress: first.progress }))).toMatchObject({
      worse: true,
      reason: expect.stringContaining("not split as the shares say"),
    });
    expect(await read()).toMatchObject({ state: "running" });
  });
});

describe("follow-rollout", () => {
  it("says that nothing is on trial, and how a rollout ended that it followed", async () => {
    const bench = createActionBench();
    const follow = bench.bind("follow-rollout", { route });
    expect(outputOf(await pollOn(bench, follow))).toEqual({ rollout: "", state: "none", take_back: false, reason: "nothing is on trial" });
    const { id } = await planned(bench);
    const first = await follow.run(await follow.plan(bench.context()), bench.context());
    if (first.kind !== "continue") throw new Error("Expected it to follow.");
    expect(first.early).toBe(true);
    await bench.ports.rolloutStore.change({ id, expected: 1, set: { state: "rolled_back" } });
    expect(outputOf(await pollOn(bench, follow, { progress: first.progress }))).toMatchObject({
      rollout: id,
      state: "rolled_back",
      take_back: false,
    });
  });

  it("leaves a healthy rollout alone, and wants one taken back that is shown to be worse", async () => {
    for (const candidateQuality of [0.9, 0.4]) {
      const bench = createActionBench();
      bench.route.candidateQuality = candidateQuality;
      const { id } = await planned(bench);
      const run = bench.bind("run-rollout", { rollout: id });
      await run.run(await run.plan(bench.context()), bench.context());
      const follow = bench.bind("follow-rollout", { route, for: "2d" });
      expect(outputOf(await pollOn(bench, follow))).toMatchObject({ rollout: id, state: "running", take_back: candidateQuality < 0.9 });
    }
  });
});
