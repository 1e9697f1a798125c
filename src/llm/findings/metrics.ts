import { severityClasses } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Feature } from "../../core/feature.ts";
import { counter, gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import { createLabelCap } from "../../platform/telemetry/label-cap.ts";
import type { DetectedSecret } from "./create-secret-detector.ts";
import { detectionConfidences, detectionSources } from "./secret-detection.ts";
import { unknownFeature } from "./security-finding.ts";
import type { SecurityFindingStore } from "./security-finding-store.ts";

/** The metrics of findings. */
export type FindingMetrics = ReturnType<typeof declareFindingMetrics>;

/** Declares the metrics of findings in `registry`. */
export function declareFindingMetrics(registry: MetricRegistry) {
  return {
    securityFindings: gauge(registry, {
      name: "llm_security_findings_open",
      help: "Open security findings; unassessed ones count one class above their source's word, or as critical. Zeros are absent while the source is down.",
      labels: ["severity_class", "feature", "source"],
    }),
    seriousFindings: gauge(registry, {
      name: "llm_security_finding_open",
      help: "1 for an open finding of class critical or high, of the 500 gravest and newest. contain is yes while it calls for switching its feature off.",
      labels: ["finding", "severity_class", "feature", "source", "contain"],
    }),
    securitySourceUp: gauge(registry, {
      name: "llm_security_source_up",
      help: "1 while a source of security findings can be read, 0 while it cannot: then it may have findings that are not shown.",
      labels: ["source"],
    }),
    secretDetections: counter(registry, {
      name: "llm_secret_detections_total",
      help: "Secrets detected in prompts, outputs or repositories.",
      labels: ["source", "feature", "confidence"],
      initialLabels: seriesOf(unknownFeature),
    }),
  };
}

/** Sources and features that have series of their own; what is beyond is `other`. runbookd.yml has at most 200 features. */
const maxSources = 20;
const maxFeatures = 201;

/**
 * Fills the gauges of findings at every scrape, with three commands. Every feature of runbookd.yml and `unknown` has a series for every class and source that can
 * be read, from zero on. Of a source that is down only what is open by its last word is shown: there is no zero that it could vouch for.
 */
export function observeSecurityFindings(
  metrics: Observing & Pick<FindingMetrics, "securityFindings" | "seriousFindings" | "securitySourceUp">,
  store: Pick<SecurityFindingStore, "openCounts" | "openSerious" | "sources">,
  features: readonly Feature[],
): void {
  const { securityFindings, seriousFindings, securitySourceUp } = metrics;
  metrics.observe([securityFindings, seriousFindings, securitySourceUp], async () => {
    const [counts, serious, statuses] = await Promise.all([store.openCounts(), store.openSerious(), store.sources()]);
    // Made anew at every scrape, so that sources which are gone take no place.
    const ignored = () => undefined;
    const label = {
      source: createLabelCap(maxSources, ignored),
      feature: createLabelCap(maxFeatures, ignored, [unknownFeature, ...features.map(({ name }) => name)]),
    };
    securityFindings.reset();
    seriousFindings.reset();
    securitySourceUp.reset();
    const upByLabel = new Map<string, number>();
    // Sources that share a label are up when all of them are.
    for (const { source, up } of statuses)
      upByLabel.set(label.source(source), Math.min(upByLabel.get(label.source(source)) ?? 1, Number(up)));
    for (const [source, up] of upByLabel) securitySourceUp.set({ source }, up);
    const shown = [unknownFeature, ...features.map(({ name }) => name)].map((name) => label.feature(name));
    const isUp = (source: string) => statuses.find((status) => status.source === source)?.up !== false;
    const sources = [...new Set([...statuses.map(({ source }) => source), ...counts.map(({ source }) => source)])];
    for (const source of sources.filter(isUp))
      for (const feature of new Set(shown))
        for (const severityClass of severityClasses)
          securityFindings.inc({ severity_class: severityClass, feature, source: label.source(source) }, 0);
    for (const { class: severityClass, feature, source, count } of counts)
      securityFindings.inc({ severity_class: severityClass, feature: label.feature(feature), source: label.source(source) }, count);
    for (const { id, class: severityClass, feature, source, contain } of serious) {
      const labels = { severity_class: severityClass, feature: label.feature(feature), source: label.source(source) };
      seriousFindings.set({ finding: id, ...labels, contain: contain ? "yes" : "no" }, 1);
    }
  });
}

/** Lets the series of each feature exist at zero: a counter that is born at 1 is no increase, and raises no alert. */
export function startSecretDetections({ secretDetections }: ReturnType<typeof declareFindingMetrics>, features: readonly string[]): void {
  for (const labels of features.flatMap((feature) => seriesOf(feature))) secretDetections.inc(labels, 0);
}

/** Counts a secret that was found. Its feature is one of runbookd.yml or `unknown`. */
export function countSecretDetection(
  { secretDetections }: ReturnType<typeof declareFindingMetrics>,
  { confidence, source, feature }: DetectedSecret,
): void {
  secretDetections.inc({ source, feature, confidence });
}

function seriesOf(feature: string) {
  return detectionSources.flatMap((source) => detectionConfidences.map((confidence) => ({ source, feature, confidence })));
}
