import { expect, it } from "@jest/globals";
import { aCandidate, someTargets } from "../../../test/contracts/describe-model-routes.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryModelRoutes } from "../../../test/fakes/memory-model-routes.ts";
import { createExposition } from "../../platform/telemetry/exposition.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { declareRoutingMetrics, observeRoutes } from "./metrics.ts";

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
