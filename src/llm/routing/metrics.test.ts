import { expect, it } from "@jest/globals";
import { aCandidate, someTargets } from "../../../test/contracts/describe-model-routes.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createExposition } from "../../platform/telemetry/exposition.ts";
import { createMemoryFollowers } from "../../rehearsal/memory-followers.ts";
import { createMemoryModelRoutes } from "../../rehearsal/memory-model-routes.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { declareRoutingMetrics, observeFollowers, observeRoutes } from "./metrics.ts";
import { servedRoute } from "./model-route.ts";

it("shows the share of every model of a route, and forgets a model that was taken back", async () => {
  const exposition = createExposition();
  const metrics = { ...exposition, ...declareUsageMetrics(exposition.registry), ...declareRoutingMetrics(exposition.registry) };
  const routes = createMemoryModelRoutes(createFakeClock());
  observeRoutes(metrics, routes);
  const shown = async () => (await metrics.metrics()).split("\n").filter((line) => line.startsWith("llm_route_weight_ratio{"));
  await routes.set({ id: "implement", expected: 0, targets: someTargets({ candidate: aCandidate }), by: "anna", reason: "" });
  expect(await shown()).toEqual([
    'llm_route_weight_ratio{rule="implement",provider="anthropic",model="claude-sonnet-4-5",variant="baseline"} 0.9',
    'llm_route_weight_ratio{rule="implement",provider="anthropic",model="claude-haiku-4-5",variant="canary"} 0.1',
  ]);
  await routes.set({ id: "implement", expected: 1, targets: someTargets(), by: "anna", reason: "" });
  expect(await shown()).toEqual([
    'llm_route_weight_ratio{rule="implement",provider="anthropic",model="claude-sonnet-4-5",variant="baseline"} 1',
  ]);
});

it("shows the followers of every route from zero on, and how many of them have its newest version", async () => {
  const exposition = createExposition();
  const metrics = { ...exposition, ...declareUsageMetrics(exposition.registry), ...declareRoutingMetrics(exposition.registry) };
  const clock = createFakeClock();
  const [routes, followers] = [createMemoryModelRoutes(clock), createMemoryFollowers(clock)];
  observeFollowers(metrics, { routes, followers, clock });
  const shown = async () => (await metrics.metrics()).split("\n").filter((line) => line.startsWith("llm_route_followers{"));
  const reply = await routes.set({ id: "implement", expected: 0, targets: someTargets(), by: "anna", reason: "" });
  if (reply.kind !== "set") throw new Error("The route was not set.");
  expect(await shown()).toEqual([
    'llm_route_followers{route="implement",state="current"} 0',
    'llm_route_followers{route="implement",state="stale"} 0',
  ]);
  const { tag } = servedRoute(reply.route, clock.now());
  for (const [instance, held] of [
    ["one", tag],
    ["two", tag],
    ["three", undefined],
  ] as const)
    await followers.record({ document: "route/implement", instance, tag: held });
  expect(await shown()).toEqual([
    'llm_route_followers{route="implement",state="current"} 2',
    'llm_route_followers{route="implement",state="stale"} 1',
  ]);
});
