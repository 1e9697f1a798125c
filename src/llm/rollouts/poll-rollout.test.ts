import { expect, it } from "@jest/globals";
import { aModelCatalog } from "../../../test/builders/a-model-catalog.ts";
import { aRollout } from "../../../test/builders/a-rollout.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { quietPrometheus } from "../../../test/fakes/quiet-prometheus.ts";
import { createMemoryRollouts } from "../../rehearsal/memory-rollouts.ts";
import { pollRollout } from "./poll-rollout.ts";
import { createRolloutSteering } from "./rollout-steering.ts";
import type { ShareControl } from "./share-control.ts";

it("enters the run that polls a live rollout as the one that drives it, and leaves one that has ended as it was", async () => {
  const clock = createFakeClock();
  const rolloutStore = createMemoryRollouts(clock);
  const ports = {
    rolloutStore,
    shareControls: {},
    prometheus: { query: async () => ({ kind: "samples", samples: [], warnings: [] }) as const },
  };
  const poll = async (by: string) =>
    pollRollout(ports, { id: "r1", by, now: clock.now(), signal: new AbortController().signal, until: 1, memory: {} });
  await rolloutStore.create(aRollout({ runId: undefined }));
  expect((await poll("run:7")).rollout).toMatchObject({ runId: "7", state: "running", step: 0 });
  const { version } = (await rolloutStore.read("r1")) ?? {};
  await poll("run:7");
  expect(await rolloutStore.read("r1")).toMatchObject({ runId: "7", version });
  await poll("anna");
  await poll("run:8");
  expect((await rolloutStore.read("r1"))?.runId).toBe("8");
  await rolloutStore.change({ id: "r1", expected: (version ?? 0) + 1, set: { state: "promoted" } });
  await poll("run:9");
  expect((await rolloutStore.read("r1"))?.runId).toBe("8");
});

/** A share as a route keeps it; each change may be preceded by something else. */
function aShare(before: { set?: () => Promise<unknown>; rollBack?: () => Promise<unknown> }) {
  let share: number | undefined;
  const once = async (name: "set" | "rollBack") => {
    const act = before[name];
    delete before[name];
    await act?.();
  };
  const control: ShareControl = {
    trialOf: async () => undefined,
    resolve: async () => undefined,
    read: async () => share,
    async set(_request, to) {
      await once("set");
      share = to;
    },
    async rollBack() {
      share = undefined;
      await once("rollBack");
    },
    complete: async () => undefined,
    followers: async () => ({ followers: 0, current: 0 }),
  };
  return { control, present: () => share };
}

it.each(["set", "rollBack"] as const)("leaves no share to a rollout that a person took back during a poll, at its %s", async (at) => {
  const clock = createFakeClock();
  const rolloutStore = createMemoryRollouts(clock);
  const before: Parameters<typeof aShare>[0] = {};
  const { control, present } = aShare(before);
  const ports = {
    rolloutStore,
    shareControls: { model: control },
    prometheus: { query: async () => ({ kind: "samples", samples: [], warnings: [] }) as const },
  };
  const { signal } = new AbortController();
  const poll = async () => pollRollout(ports, { id: "r1", by: "run:1", now: clock.now(), signal, until: 1, memory: {} });
  const steering = createRolloutSteering({
    store: rolloutStore,
    controls: ports.shareControls,
    models: aModelCatalog(),
    prometheus: quietPrometheus,
    clock,
  });
  const takeBack = async () => steering.takeBack("r1", { by: "anna", reason: "customers complain" });
  await rolloutStore.create(aRollout({ runId: "1" }));
  await poll();
  expect(present()).toBe(0.1);
  before[at] = at === "set" ? takeBack : poll;
  await (at === "set" ? poll() : takeBack());
  expect((await rolloutStore.read("r1"))?.state).toBe("rolled_back");
  expect(present()).toBeUndefined();
});

it("leaves no share to a rollout that one person took back while another one started it", async () => {
  const clock = createFakeClock();
  const store = createMemoryRollouts(clock);
  const before: Parameters<typeof aShare>[0] = {};
  const { control, present } = aShare(before);
  const steering = createRolloutSteering({
    store,
    controls: { model: control },
    models: aModelCatalog(),
    prometheus: quietPrometheus,
    clock,
  });
  await store.create(aRollout({ runId: undefined }));
  before.set = () => steering.takeBack("r1", { by: "anna", reason: "not today" });
  expect(await steering.start("r1", { by: "bert", reason: "go" })).toMatchObject({
    kind: "refused",
    because: "conflict",
    detail: expect.stringContaining("has ended"),
  });
  expect((await store.read("r1"))?.state).toBe("rolled_back");
  expect(present()).toBeUndefined();
});

it("takes a share away that was left to a rollout which has ended", async () => {
  const clock = createFakeClock();
  const store = createMemoryRollouts(clock);
  const { control, present } = aShare({});
  const { subject, salt } = aRollout();
  const holder = { rollout: "r1" };
  const trialOf = async () => ({ subject, salt, share: 0.1, ...holder });
  const steering = createRolloutSteering({
    store,
    controls: { model: { ...control, trialOf } },
    models: aModelCatalog(),
    prometheus: quietPrometheus,
    clock,
  });
  const takeBack = () => steering.takeBack("r1", { by: "anna", reason: "still there" });
  await store.create(aRollout({ runId: undefined }));
  await takeBack();
  const request = { subject, salt, rollout: "r1", by: "bert" };
  await control.set(request, 0.1);
  expect((await takeBack()).kind).toBe("done");
  expect(present()).toBeUndefined();
  holder.rollout = "r2";
  await control.set(request, 0.1);
  expect((await takeBack()).kind).toBe("done");
  expect(present()).toBe(0.1);
});
