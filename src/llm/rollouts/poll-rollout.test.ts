import { expect, it } from "@jest/globals";
import { aRollout } from "../../../test/builders/a-rollout.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryRollouts } from "../../rehearsal/memory-rollouts.ts";
import { pollRollout } from "./poll-rollout.ts";

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
