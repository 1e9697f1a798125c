import { type Document, isMap, isScalar, parseDocument, visit } from "yaml";
import { formatDuration, parseDuration } from "../src/core/duration.ts";
import { divideRanges } from "../src/runbooks/expressions/promql.ts";
import { divideSecondsThresholds } from "./seconds-thresholds.ts";

/** Keys whose value is a duration, in rules, in prometheus.yml and in alertmanager.yml. */
const durationKeys = new Set([
  "interval",
  "for",
  "keep_firing_for",
  "query_offset",
  "scrape_interval",
  "scrape_timeout",
  "evaluation_interval",
  "group_wait",
  "group_interval",
  "repeat_interval",
  "resolve_timeout",
]);

/**
 * A rules file, a prometheus.yml or an alertmanager.yml with every duration divided by `factor`, comments kept: the keys above,
 * ranges, offsets and subqueries of every `expr`, and the constants that an `expr` compares seconds with.
 * `keep_firing_for` is at least three seconds, where it was before.
 * Not divided: names of recording rules (`ratio1h` keeps its name), constants that count something (requests, tokens),
 * rates per second, thresholds of runbookd's own metrics, times in annotations, and network timeouts, which belong to machines.
 * Throws when the text is no YAML or holds a duration that Prometheus would refuse.
 */
export function scaleConfig(source: string, factor: number): string {
  const document = parseDocument(source);
  const [fault] = document.errors;
  if (fault !== undefined) throw new Error(`Not YAML: ${fault.message}`);
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !isScalar(value)) return;
      const text = value.value;
      if (typeof text !== "string") return;
      if (durationKeys.has(String(key.value))) value.value = divideDuration(text, factor);
      if (key.value === "scrape_interval") value.value = atLeast(value.value, minScrapeMs(factor));
      if (key.value === "keep_firing_for") value.value = atLeast(value.value, Math.min(parseDuration(text) ?? 0, minKeepFiringMs));
      if (key.value === "expr") value.value = divideSecondsThresholds(divideRanges(text, factor), factor);
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** Where a rendered prometheus.yml finds what it scrapes and whom it tells. */
export interface PrometheusPlaces {
  /** `host:port` of each target of the job `runbookd`. */
  readonly targets: readonly string[];
  /** `host:port`. */
  readonly alertmanager: string;
}

/** A prometheus.yml that looks at other places; everything else stays. Throws when the text lacks the job or the Alertmanager. */
export function placePrometheusConfig(source: string, { targets, alertmanager }: PrometheusPlaces): string {
  const document = parseDocument(source);
  replace(document, ["scrape_configs", 0, "static_configs", 0, "targets"], [...targets]);
  replace(document, ["alerting", "alertmanagers", 0, "static_configs", 0, "targets"], [alertmanager]);
  return document.toString({ lineWidth: 0 });
}

/** An alertmanager.yml that posts to `webhookUrl` and mails through `smtp` (`host:port`). Throws when the receiver `runbookd` is not there. */
export function placeAlertmanagerConfig(
  source: string,
  { webhookUrl, smtp }: { readonly webhookUrl: string; readonly smtp: string },
): string {
  const document = parseDocument(source);
  replace(document, ["global", "smtp_smarthost"], smtp);
  let isReplaced = false;
  visit(document, {
    Map(_, node) {
      if (node.has("webhook_configs") && node.get("name") === "runbookd") {
        const hook = node.getIn(["webhook_configs", 0]);
        if (isMap(hook)) {
          hook.set("url", webhookUrl);
          isReplaced = true;
        }
      }
    },
  });
  if (!isReplaced) throw new Error("alertmanager.yml has no receiver runbookd with a webhook.");
  return document.toString({ lineWidth: 0 });
}

function replace(document: Document, path: readonly (string | number)[], value: string | string[]): void {
  if (!document.hasIn(path)) throw new Error(`The configuration has no ${path.join(".")}.`);
  document.setIn(path, document.createNode(value));
}

/**
 * The interval of scrapes is also their timeout, and a scrape that fails takes every series away. A machine that needs a small factor is busy, and its
 * scrapes take long; the shortest range of the rules, one minute, must still hold two samples.
 */
function minScrapeMs(factor: number): number {
  return factor < slowFactor ? Math.min(1500, 60_000 / factor / 2.2) : 0;
}

/**
 * An alert is kept through scrapes that fail, and they fail while the machine is busy, however large the factor is. An alert that ends and fires again within
 * that time would start a run, or let an open one contain again.
 */
const minKeepFiringMs = 3000;

/** Below it the machine was too busy for the usual factors. */
const slowFactor = 45;

function atLeast(text: unknown, minMs: number): string {
  return formatDuration(Math.max(parseDuration(String(text)) ?? 0, minMs));
}

function divideDuration(text: string, factor: number): string {
  const ms = parseDuration(text);
  if (ms === undefined) throw new Error(`${JSON.stringify(text)} is no duration.`);
  // Never 0: Prometheus refuses it for intervals, and Alertmanager for group_interval.
  return ms === 0 ? "0s" : formatDuration(Math.max(1, ms / factor));
}
