import { describe, expect, it } from "@jest/globals";
import type { RunState } from "../../../packages/sdk/src/wire/runs.ts";
import { aRollout, aRolloutPlan, aRolloutSubject } from "../../../test/builders/a-rollout.ts";
import { ticketsBetween } from "../../../test/contracts/describe-rollout-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { dayMs } from "../../core/duration.ts";
import { createMemoryRollouts } from "../../rehearsal/memory-rollouts.ts";
import { createUrgentPass, failOverdueTickets, holdAbandonedRollouts, type RolloutNews } from "./jobs.ts";
import type { RolloutGuard } from "./next-rollout-move.ts";
import type { RolloutChange } from "./rollout.ts";
import type { ShareControl } from "./share-control.ts";
import { shareRefusal } from "./share-refusal.ts";

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
    const notified: RolloutNews[] = [];
    const check = async () =>
      holdAbandonedRollouts(
        { store, runState: async () => runState, notify: async (abandoned) => void notified.push(abandoned), clock },
        new AbortController().signal,
      );
    return { store, notified, check };
  }

  it.each([
    ["ended", "has ended"],
    [undefined, "is gone"],
    ["damaged", "cannot be read"],
  ] as const)("is held at its share and notified once (%s)", async (state, text) => {
    const { store, notified, check } = await aRolloutOf(state);
    await check();
    await check();
    expect(notified).toMatchObject([{ key: "rollout:r1:1", rollout: "r1", runId: "1", text: expect.stringContaining(text) }]);
    expect(notified[0]?.text).toContain("stays at 50 % of new tickets");
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
    const { store, notified, check } = await aRolloutOf("ended");
    await check();
    await store.change({ id: "r1", expected: 3, set: { state: "running" } });
    await check();
    expect((await store.read("r1"))?.state).toBe("running");
    await store.change({ id: "r1", expected: 4, set: { runId: "2" } });
    await check();
    expect((await store.read("r1"))?.state).toBe("holding");
    expect(notified.map(({ key }) => key)).toEqual(["rollout:r1:1", "rollout:r1:2"]);
  });

  it("is told of also when it is on hold already", async () => {
    const { notified, check } = await aRolloutOf("ended", { state: "holding", step: 0 });
    await check();
    expect(notified).toHaveLength(1);
  });

  it.each(["queued", "running", "suspended", "in_doubt"] as const)("is left alone while the run is %s", async (state) => {
    const { store, notified, check } = await aRolloutOf(state);
    await check();
    expect([(await store.read("r1"))?.state, notified]).toEqual(["running", []]);
  });

  it("is left alone once it has ended, and when people drive it", async () => {
    for (const set of [{ state: "promoted" }, { state: "running", step: 0, runId: undefined }] as const) {
      const { store, notified, check } = await aRolloutOf("ended", set);
      await check();
      expect([(await store.read("r1"))?.state, notified]).toEqual([set.state, []]);
    }
  });

  it("is notified again when holding it was not written", async () => {
    const { store, notified, check } = await aRolloutOf("ended");
    const stale = await store.read("r1");
    await store.change({ id: "r1", expected: 2, set: {} });
    const behind = {
      list: async () => (stale === undefined ? [] : [stale]),
      change: async (change: RolloutChange) => store.change(change),
    };
    const notify = async (abandoned: RolloutNews) => void notified.push(abandoned);
    await holdAbandonedRollouts(
      { store: behind, runState: async () => "ended", notify, clock: createFakeClock() },
      new AbortController().signal,
    );
    expect((await store.read("r1"))?.state).toBe("running");
    await check();
    expect(notified.map(({ key }) => key)).toEqual(["rollout:r1:1", "rollout:r1:1"]);
    expect((await store.read("r1"))?.state).toBe("holding");
  });
});

describe("what cannot wait for the next poll of a run", () => {
  /** A running rollout of two steps whose tickets of the canary succeed as often as `canary` says, those of the baseline in nine of ten cases. */
  async function aLiveRollout({
    canary = 0.9,
    runId = "1",
    waits = false,
    frozen = false,
    refuses = false,
    guard = { kind: "clear" },
  }: {
    readonly canary?: number;
    readonly runId?: string | null;
    readonly waits?: boolean;
    readonly frozen?: boolean;
    readonly refuses?: boolean;
    readonly guard?: RolloutGuard;
  } = {}) {
    const clock = createFakeClock();
    const store = createMemoryRollouts(clock);
    await store.create(aRollout({ runId: runId ?? undefined, plan: aRolloutPlan({ intervalMs: dayMs, deadlineMs: dayMs }) }));
    await store.change({ id: "r1", expected: 1, set: { state: "running", step: 0 } });
    let counted = 0;
    const count = (arm: "canary" | "baseline", succeeding: number, tickets: number) => {
      const ids = arm === "canary" ? ticketsBetween(0, 0.1, counted + tickets) : ticketsBetween(0.5, 1, counted + tickets);
      for (const [nth, ticket] of ids.slice(counted).entries()) {
        store.expose(ticket, [{ rollout: "r1", arm }]);
        store.spend(ticket, 1000);
        store.end(ticket, nth % 20 < succeeding * 20 ? "succeeded" : "failed");
      }
    };
    count("canary", canary, 60);
    count("baseline", 0.9, 540);
    counted = 540;
    const notified: RolloutNews[] = [];
    const woken: string[] = [];
    let share: number | undefined = 0.1;
    const control: ShareControl = {
      trialOf: async () => undefined,
      resolve: async () => undefined,
      read: async () => share,
      set: async (_request, to) => void (share = to),
      async rollBack() {
        if (refuses) throw shareRefusal("Route implement was changed by ada.");
        share = undefined;
      },
      complete: async () => undefined,
      followers: async () => ({ followers: 0, current: 0 }),
    };
    const pass = createUrgentPass({
      store,
      controls: { model: control },
      guard: async () => guard,
      waitsForPerson: async () => waits,
      wake: async (run) => void woken.push(run),
      isFrozen: async () => frozen,
      notify: async (news) => void notified.push(news),
      clock,
    });
    return { clock, store, notified, woken, share: () => share, count, check: async () => pass(new AbortController().signal) };
  }

  it("leaves a healthy rollout alone, whoever drives it", async () => {
    for (const runId of ["1", null]) {
      const { store, notified, woken, share, check } = await aLiveRollout({ runId });
      await check();
      expect([(await store.read("r1"))?.state, notified, woken, share()]).toEqual(["running", [], [], 0.1]);
    }
  });

  it("wakes the run at once when the canary is shown to be worse, and again after a minute while nothing has come of it", async () => {
    const { clock, store, notified, woken, check } = await aLiveRollout({ canary: 0.5 });
    await check();
    await clock.advance(10_000);
    await check();
    expect(woken).toEqual(["1"]);
    await clock.advance(60_000);
    await check();
    expect([woken, notified, (await store.read("r1"))?.state]).toEqual([["1", "1"], [], "running"]);
  });

  it("wakes the run when a guard is broken, and when tickets are misassigned", async () => {
    const broken = await aLiveRollout({ guard: { kind: "broken", text: "errors" } });
    await broken.check();
    expect(broken.woken).toEqual(["1"]);
    const misassigned = await aLiveRollout();
    misassigned.store.expose(ticketsBetween(0.3, 0.4, 1)[0] ?? "", [{ rollout: "r1", arm: "canary" }]);
    await misassigned.check();
    expect(misassigned.woken).toEqual(["1"]);
    await misassigned.store.change({ id: "r1", expected: 2, set: { state: "holding" } });
    await misassigned.clock.advance(120_000);
    await misassigned.check();
    expect(misassigned.woken).toEqual(["1"]);
  });

  it("wakes the run for a regression that begins at the last step, once every step has shown what it must", async () => {
    const { store, woken, count, check } = await aLiveRollout();
    const decision = { at: 0, decision: "finish", reason: "shown", detail: "", step: 1, share: 0.5, by: "run:1" } as const;
    await store.change({ id: "r1", expected: 2, set: { step: 1 } });
    count("canary", 0.65, 60);
    count("baseline", 0.9, 60);
    await check();
    expect(woken).toEqual([]);
    await store.change({ id: "r1", expected: 3, set: {}, decision });
    await check();
    expect(woken).toEqual(["1"]);
  });

  it.each([
    ["people drive the rollout", { runId: null }, "No run drives this rollout"],
    ["the run waits for a person", { waits: true }, "Run 1, which drives it, waits for a person"],
  ] as const)("takes a harmed canary back and tells people when %s", async (_when, world, text) => {
    const { store, notified, woken, share, check } = await aLiveRollout({ canary: 0.5, ...world });
    await check();
    await check();
    expect(share()).toBeUndefined();
    expect(await store.read("r1")).toMatchObject({ state: "rolled_back", decisions: [{ reason: "quality_worse", by: "runbookd" }] });
    expect(woken).toEqual([]);
    expect(notified).toMatchObject([{ key: "rollout:r1:harm", rollout: "r1", text: expect.stringContaining(text) }]);
  });

  it("takes nothing back under a freeze, and says so when the target refuses", async () => {
    const frozen = await aLiveRollout({ canary: 0.5, runId: null, frozen: true });
    await frozen.check();
    expect([(await frozen.store.read("r1"))?.state, frozen.notified]).toEqual(["running", []]);
    const refused = await aLiveRollout({ canary: 0.5, runId: null, refuses: true });
    await refused.check();
    expect(refused.notified.map(({ key }) => key)).toEqual(["rollout:r1:harm", "rollout:r1:refused"]);
    expect((await refused.store.read("r1"))?.state).toBe("running");
  });

  it("only holds what is in doubt where no run can act", async () => {
    const { store, notified, woken, check } = await aLiveRollout({ runId: null });
    store.expose(ticketsBetween(0.3, 0.4, 1)[0] ?? "", [{ rollout: "r1", arm: "canary" }]);
    await check();
    expect([(await store.read("r1"))?.state, notified, woken]).toEqual(["running", [], []]);
  });
});
