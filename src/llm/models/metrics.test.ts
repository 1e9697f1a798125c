import { expect, it } from "@jest/globals";
import type { ModelDescription } from "../../../packages/sdk/src/wire/models.ts";
import { createExposition } from "../../platform/telemetry/exposition.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { declareModelMetrics, observeModels } from "./metrics.ts";

it("shows when a model is retired and what replaces it, and nothing of a model without a date", async () => {
  const exposition = createExposition();
  const metrics = { ...exposition, ...declareUsageMetrics(exposition.registry), ...declareModelMetrics(exposition.registry) };
  const base = { provider: "anthropic", lifecycle: "deprecated", overdue: false, features: {}, source: "provider" } as const;
  let models: readonly ModelDescription[] = [
    { ...base, model: "old", retiresAt: 1_800_000_000_000, replacement: { provider: "openai", model: "new" } },
    { ...base, model: "fresh", lifecycle: "active" },
  ];
  observeModels(metrics, async () => models);
  const shown = async () => (await metrics.metrics()).split("\n").filter((line) => line.startsWith("llm_model_re"));
  expect(await shown()).toEqual([
    'llm_model_retirement_timestamp_seconds{provider="anthropic",model="old"} 1800000000',
    'llm_model_replacement_info{provider="anthropic",model="old",replacement="openai/new"} 1',
  ]);
  models = [];
  expect(await shown()).toEqual([]);
});
