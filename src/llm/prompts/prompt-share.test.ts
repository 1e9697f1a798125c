import { expect, it } from "@jest/globals";
import { describeShareControl } from "../../../test/contracts/describe-share-control.ts";
import { aPromptBench } from "../../../test/contracts/share-benches.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryFollowers } from "../../rehearsal/memory-followers.ts";
import { createMemoryPromptRollouts, createMemoryPrompts } from "../../rehearsal/memory-prompts.ts";
import type { PromptStore } from "./prompt.ts";

const someStores = () => {
  const clock = createFakeClock();
  return { prompts: createMemoryPrompts(clock), rollouts: createMemoryPromptRollouts(), followers: createMemoryFollowers(clock) };
};

describeShareControl("a prompt in memory", async () => aPromptBench(someStores()));

it("moves the label canary with the share, and takes it away at the end", async () => {
  const stores = someStores();
  const { control, subject } = await aPromptBench(stores);
  const request = { subject, salt: "s", rollout: "r_1", by: "run:1" };
  const labels = async () => (await stores.prompts.read("implement"))?.labels;
  await control.set(request, 0.1);
  expect(await labels()).toEqual({ production: 1, canary: 2 });
  await control.rollBack(request);
  expect(await labels()).toEqual({ production: 1 });
  await control.set(request, 0.1);
  await control.complete(request);
  expect(await labels()).toEqual({ production: 2 });
});

it("goes on where a process died between the label and the share", async () => {
  const stores = someStores();
  const { control, subject, served } = await aPromptBench(stores);
  const request = { subject, salt: "s", rollout: "r_1", by: "run:1" };
  await control.set(request, 0.95);
  await stores.prompts.moveLabel({ prompt: "implement", label: "production", expected: 1, to: 2, by: "run:1" });
  await control.complete(request);
  expect(await served()).toEqual({ main: 2 });
});

it("puts a version on trial where the store cannot take a label away", async () => {
  const stores = someStores();
  const prompts: PromptStore = {
    ...stores.prompts,
    moveLabel: async (move) => (move.to === null ? { kind: "unsupported", reason: "labels stay" } : stores.prompts.moveLabel(move)),
  };
  const { control, subject, served } = await aPromptBench({ ...stores, prompts });
  const request = { subject, salt: "s", rollout: "r_1", by: "run:1" };
  await control.set(request, 0.5);
  await control.rollBack(request);
  expect(await served()).toEqual({ main: 1 });
});
