import { expect, it } from "@jest/globals";
import type { RouteTargets } from "../../../packages/sdk/src/wire/routing.ts";
import { describeShareControl } from "../../../test/contracts/describe-share-control.ts";
import { aRouteBench } from "../../../test/contracts/share-benches.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryFollowers } from "../../rehearsal/memory-followers.ts";
import { createMemoryModelRoutes } from "../../rehearsal/memory-model-routes.ts";
import { servedRoute } from "./model-route.ts";
import { oldModelFallbackMs } from "./route-share.ts";

const someStores = () => {
  const clock = createFakeClock();
  return { routes: createMemoryModelRoutes(clock), followers: createMemoryFollowers(clock), clock };
};

describeShareControl("a route in memory", async () => aRouteBench(someStores()));

const oldModel = { provider: "anthropic", model: "old" };
const newModel = { provider: "anthropic", model: "new" };
const other = { provider: "anthropic", model: "other" };

async function aCompletedRoute(fallback: RouteTargets["fallback"]) {
  const stores = someStores();
  const { control, subject } = await aRouteBench(stores);
  const request = { subject, salt: "s", rollout: "r_1", by: "run:1" };
  const route = await stores.routes.read("implement");
  const targets = { baseline: oldModel, candidate: null, fallback };
  await stores.routes.set({ id: "implement", expected: route?.version ?? 0, targets, by: "anna", reason: "x" });
  await control.set(request, 0.95);
  await control.complete(request);
  const served = async () => {
    const now = await stores.routes.read("implement");
    return now === undefined ? undefined : servedRoute(now, stores.clock.now()).document.fallback;
  };
  return { ...stores, control, request, served };
}

it("keeps the old model as the first fallback for seven days", async () => {
  const { clock, served } = await aCompletedRoute([other, newModel]);
  const until = clock.now() + oldModelFallbackMs;
  expect(await served()).toEqual([{ ...oldModel, until }, other]);
  await clock.advance(oldModelFallbackMs - 1);
  expect(await served()).toHaveLength(2);
  await clock.advance(1);
  expect(await served()).toEqual([other]);
});

it("keeps an old model that was a fallback before without an end, also when it is taken back", async () => {
  const { control, request, served } = await aCompletedRoute([other, oldModel]);
  expect(await served()).toEqual([oldModel, other]);
  await control.rollBack(request);
  expect(await served()).toEqual([oldModel, other]);
});

it("does not put another model back that was never completed", async () => {
  const stores = someStores();
  const { control, subject } = await aRouteBench(stores);
  const request = { subject, salt: "s", rollout: "r_1", by: "run:1" };
  await stores.routes.set({
    id: "implement",
    expected: 1,
    targets: { baseline: newModel, candidate: null, fallback: [] },
    by: "anna",
    reason: "by hand",
  });
  await expect(control.rollBack(request)).rejects.toThrow("changed in between by anna");
});
