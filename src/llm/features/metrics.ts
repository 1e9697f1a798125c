import type { FeatureRequests } from "../../../packages/sdk/src/wire/flags.ts";
import type { Clock } from "../../core/clock.ts";
import type { Feature } from "../../core/feature.ts";
import { counter, gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import type { FlagSwitches } from "../flags/flag-switches.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";

/** The metrics of features. */
export type FeatureMetrics = ReturnType<typeof declareFeatureMetrics>;

/** Declares the metrics of features in `registry`. */
export function declareFeatureMetrics(registry: MetricRegistry) {
  return {
    featureRequests: counter(registry, {
      name: "llm_feature_requests_total",
      help: "Requests of a feature that the application reported: served while it was on, refused while it was off.",
      labels: ["feature", "outcome"],
    }),
    featureOff: gauge(registry, {
      name: "llm_feature_off",
      help: "1 for a feature of runbookd.yml whose every flag is off, else 0. Absent: it has no flag, or one cannot be read.",
      labels: ["feature"],
    }),
  };
}

/** How old a reading of the flags may be; systems of flags are not asked at every scrape. */
const maxAgeMs = 10_000;

/** Fills the gauge of what is off at every scrape. */
export function observeFeatures(
  metrics: Observing & FeatureMetrics & WorkloadLabels,
  { features, flagSwitches }: { readonly features: readonly Feature[]; readonly flagSwitches: FlagSwitches },
  clock: Pick<Clock, "now">,
): void {
  const { featureOff, label } = metrics;
  let readAt = Number.NEGATIVE_INFINITY;
  let read: readonly { readonly name: string; readonly off: boolean | undefined }[] = [];
  const isOff = async ({ flags }: Feature): Promise<boolean | undefined> => {
    try {
      const readings = await Promise.all(flags.map(async ({ system, key }) => flagSwitches[system].read(key)));
      return readings.length === 0 ? undefined : readings.every((reading) => reading?.state === "off");
    } catch {
      // What cannot be read is neither on nor off.
      return undefined;
    }
  };
  metrics.observe([featureOff], async () => {
    if (clock.now() - readAt >= maxAgeMs) {
      readAt = clock.now();
      read = await Promise.all(features.map(async (feature) => ({ name: feature.name, off: await isOff(feature) })));
    }
    featureOff.reset();
    for (const { name, off } of read) if (off !== undefined) featureOff.set({ feature: label.feature(name) }, off ? 1 : 0);
  });
}

/** Adds one report. A feature that had no request yet gets series of value zero, so that its first request is a rise. */
export function countFeatureRequests(
  { featureRequests, label }: FeatureMetrics & WorkloadLabels,
  counts: readonly FeatureRequests[],
): void {
  for (const { feature, served, refused } of counts) {
    const labeled = label.feature(feature);
    featureRequests.inc({ feature: labeled, outcome: "served" }, served);
    featureRequests.inc({ feature: labeled, outcome: "refused" }, refused);
  }
}
