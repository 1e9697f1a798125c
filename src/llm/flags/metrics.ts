import { counter, gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import type { FollowerBook } from "../rollouts/followers.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";
import { type FlagStore, flagDocument, flagTag } from "./flag.ts";

/** The metrics of flags. */
export type FlagMetrics = ReturnType<typeof declareFlagMetrics>;

/** Declares the metrics of flags in `registry`. */
export function declareFlagMetrics(registry: MetricRegistry) {
  return {
    flagFollowers: gauge(registry, {
      name: "llm_flag_followers",
      help: "Processes that asked for the flag within the last minute; current ones had its newest version.",
      labels: ["flag", "state"],
    }),
    flagEvaluations: counter(registry, {
      name: "llm_flag_evaluations_total",
      help: "Values of the flag that were answered over OFREP, by variant; processes that evaluate themselves are not in it.",
      labels: ["flag", "variant"],
    }),
  };
}

/** Counts one value that was answered. */
export function countEvaluation({ label, flagEvaluations }: FlagMetrics & WorkloadLabels, key: string, variant: string): void {
  flagEvaluations.inc({ flag: label.flag(key), variant: label.flagVariant(variant) });
}

/** What the gauges are read from. */
export interface FlagMetricSources {
  readonly flags: Pick<FlagStore, "list">;
  readonly followers: Pick<FollowerBook, "count">;
}

/** Fills the gauge of the flags' followers at every scrape, and makes each flag's counters exist; a flag that no process follows shows zeros. */
export function observeFlags(metrics: Observing & FlagMetrics & WorkloadLabels, { flags, followers }: FlagMetricSources): void {
  const { label, flagFollowers, flagEvaluations } = metrics;
  metrics.observe([flagFollowers], async () => {
    const all = await Promise.all(
      (await flags.list()).map(async (flag) => ({ flag, counts: await followers.count(flagDocument(flag.key), flagTag(flag)) })),
    );
    flagFollowers.reset();
    for (const { flag, counts } of all) {
      const name = label.flag(flag.key);
      flagFollowers.inc({ flag: name, state: "current" }, counts.current);
      flagFollowers.inc({ flag: name, state: "stale" }, counts.followers - counts.current);
      for (const variant of Object.keys(flag.variants)) flagEvaluations.inc({ flag: name, variant: label.flagVariant(variant) }, 0);
    }
  });
}
