import type { Feature } from "../../core/feature.ts";
import { gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";
import type { AttackReplayStore } from "./attack-replay.ts";

/** The metrics of recorded attacks. */
export type AttackMetrics = ReturnType<typeof declareAttackMetrics>;

/** Declares the metrics of recorded attacks in `registry`. */
export function declareAttackMetrics(registry: MetricRegistry) {
  return {
    attackReplayHits: gauge(registry, {
      name: "llm_attack_replay_hits",
      help: "Tries that worked in the last scheduled replay of a feature's recorded attacks on what is deployed. Absent before the first one.",
      labels: ["feature"],
    }),
    attackReplayTime: gauge(registry, {
      name: "llm_attack_replay_timestamp_seconds",
      help: "When the last scheduled replay of a feature's recorded attacks ended; 0 before the first one. Absent: runbookd.yml names no attacks for it.",
      labels: ["feature"],
    }),
  };
}

/** Fills the gauges of scheduled replays at every scrape, for the features of runbookd.yml that have `attacks`. */
export function observeAttackReplays(
  metrics: Observing & AttackMetrics & WorkloadLabels,
  replays: Pick<AttackReplayStore, "scheduled">,
  features: readonly Feature[],
): void {
  const { attackReplayHits, attackReplayTime, label } = metrics;
  const attacked = features.filter(({ attacks }) => attacks !== undefined).map(({ name }) => name);
  metrics.observe([attackReplayHits, attackReplayTime], async () => {
    const last = new Map((await replays.scheduled()).map((replay) => [replay.feature, replay]));
    attackReplayHits.reset();
    attackReplayTime.reset();
    for (const feature of attacked) {
      const replay = last.get(feature);
      attackReplayTime.set({ feature: label.feature(feature) }, (replay?.at ?? 0) / 1000);
      if (replay !== undefined) attackReplayHits.set({ feature: label.feature(feature) }, replay.outcome.hits);
    }
  });
}
