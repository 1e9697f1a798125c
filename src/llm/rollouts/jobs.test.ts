import { describe, expect, it } from "@jest/globals";
import type { RunState } from "../../../packages/sdk/src/wire/runs.ts";
import { aRollout, aRolloutPlan, aRolloutSubject } from "../../../test/builders/a-rollout.ts";
import { ticketsBetween } from "../../../test/contracts/describe-rollout-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryRollouts } from "../../rehearsal/memory-rollouts.ts";
import { type AbandonedRollout, failOverdueTickets, holdAbandonedRollouts } from "./jobs.ts";
import type { RolloutChange } from "./rollout.ts";

it("fails every ticket that passed its deadline, in every rollout and however many there are", async () => {
  const clock = createFakeClock();
  const store = createMemoryRollouts(clock);
  const tickets = ticketsBetween(0, 0.1, 1500);
  for (const [id, route] of [
    ["r1", "implement"],
    ["r2", "review"],
  ] as const) {
    await store.create(aRollout({ id, subject: aRolloutSubject(route) }));
    await store.change({ id, expected: 1, set: { state: "running", step: 0 } });
  }
  for (const ticket of tickets) store.expose(ticket, [{ rollout: "r1", arm: "canary" }]);
  store.expose("T-1", [{ rollout: "r2", arm: "baseline" }]);
  await store.change({ id: "r2", expected: 2, set: { state: "rolled_back" } });
  await clock.advance(aRolloutPlan().deadlineMs + 1);
  await failOverdueTickets({ store, clock }, AbortSignal.abort());
  expect(await store.strata("r1")).toMatchObject([{ canary: { overdue: 0 } }]);
  await failOverdueTickets({ store, clock }, new AbortController().signal);
  expect(await store.strata("r1")).toMatchObject([{ canary: { exposed: 1500, overdue: 1500 } }]);
  expect(await store.strata("r2")).toMatchObject([{ baseline: { overdue: 1 } }]);
});

describe("a live rollout whose run is over", () => {
  async function aRolloutOf(runState: RunState | undefined, set: RolloutChange["set"] = { state: "running", step: 1 }) {
    const clock = createFakeClock();
    const store = createMemoryRollouts(clock);
    await store.create(aRollout());
    await store.change({ id: "r1", expected: 1, set });
    const told: AbandonedRollout[] = [];
    const look = async () =>
      holdAbandonedRollouts(
        { store, runState: async () => runState, tell: async (abandoned) => void told.push(abandoned), clock },
        new AbortController().signal,
      );
    return { store, told, look };
  }

  it.each([
    ["ended", "has ended"],
    [undefined, "is gone"],
    ["damaged", "cannot be read"],
  ] as const)("is held at its share and told once (%s)", async (state, text) => {
    const { store, told, look } = await aRolloutOf(state);
    await look();
    await look();
    expect(told).toMatchObject([{ key: "rollout:r1:1", rollout: "r1", runId: "1", text: expect.stringContaining(text) }]);
    expect(told[0]?.text).toContain("stays at 50 % of new tickets");
    const rollout = await store.read("r1");
    expect(rollout).toMatchObject({
      state: "holding",
      step: 1,
      version: 3,
      decisions: [{ decision: "hold", reason: "run_over", share: 0.5 }],
    });
    expect(rollout?.runId).toBeUndefined();
  });

  it("stays as a person lets it go on, and is held again when another run that took it over ends", async () => {
    const { store, told, look } = await aRolloutOf("ended");
    await look();
    await store.change({ id: "r1", expected: 3, set: { state: "running" } });
    await look();
    expect((await store.read("r1"))?.state).toBe("running");
    await store.change({ id: "r1", expected: 4, set: { runId: "2" } });
    await look();
    expect((await store.read("r1"))?.state).toBe("holding");
    expect(told.map(({ key }) => key)).toEqual(["rollout:r1:1", "rollout:r1:2"]);
  });

  it("is told also when it is on hold already", async () => {
    const { told, look } = await aRolloutOf("ended", { state: "holding", step: 0 });
    await look();
    expect(told).toHaveLength(1);
  });

  it.each(["queued", "running", "suspended", "in_doubt"] as const)("is left alone while the run is %s", async (state) => {
    const { store, told, look } = await aRolloutOf(state);
    await look();
    expect([(await store.read("r1"))?.state, told]).toEqual(["running", []]);
  });

  it("is left alone once it has ended, and when people drive it", async () => {
    for (const set of [{ state: "promoted" }, { state: "running", step: 0, runId: undefined }] as const) {
      const { store, told, look } = await aRolloutOf("ended", set);
      await look();
      expect([(await store.read("r1"))?.state, told]).toEqual([set.state, []]);
    }
  });

  it("is told again when holding it was not written", async () => {
    const { store, told, look } = await aRolloutOf("ended");
    const stale = await store.read("r1");
    await store.change({ id: "r1", expected: 2, set: {} });
    const behind = {
      list: async () => (stale === undefined ? [] : [stale]),
      change: async (change: RolloutChange) => store.change(change),
    };
    const tell = async (abandoned: AbandonedRollout) => void told.push(abandoned);
    await holdAbandonedRollouts(
      { store: behind, runState: async () => "ended", tell, clock: createFakeClock() },
      new AbortController().signal,
    );
    expect((await store.read("r1"))?.state).toBe("running");
    await look();
    expect(told.map(({ key }) => key)).toEqual(["rollout:r1:1", "rollout:r1:1"]);
    expect((await store.read("r1"))?.state).toBe("holding");
  });
});
