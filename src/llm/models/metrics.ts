import type { ModelDescription } from "../../../packages/sdk/src/wire/models.ts";
import { gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";

/** The metrics of models. */
export type ModelMetrics = ReturnType<typeof declareModelMetrics>;

/** Declares the metrics of models in `registry`. */
export function declareModelMetrics(registry: MetricRegistry) {
  return {
    modelRetirement: gauge(registry, {
      name: "llm_model_retirement_timestamp_seconds",
      help: "When the provider retires the model. Absent: no date is known.",
      labels: ["provider", "model"],
    }),
    modelReplacement: gauge(registry, {
      name: "llm_model_replacement_info",
      help: "1 for what the provider recommends in place of a model that is to be retired, as provider/model.",
      labels: ["provider", "model", "replacement"],
    }),
  };
}

/** Fills the gauges at every scrape with what is known of the models that routes name: no others, as lists are long and labels are capped. */
export function observeModels(
  { label, ...metrics }: Observing & ModelMetrics & WorkloadLabels,
  routedModels: () => Promise<readonly ModelDescription[]>,
): void {
  metrics.observe([metrics.modelRetirement, metrics.modelReplacement], async () => {
    const models = await routedModels();
    metrics.modelRetirement.reset();
    metrics.modelReplacement.reset();
    for (const { provider, model, retiresAt, replacement } of models) {
      const labels = { provider: label.provider(provider), model: label.model(model) };
      if (retiresAt !== undefined) metrics.modelRetirement.set(labels, retiresAt / 1000);
      if (replacement !== undefined)
        metrics.modelReplacement.set({ ...labels, replacement: `${replacement.provider}/${replacement.model}` }, 1);
    }
  });
}
