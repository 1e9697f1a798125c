import type { Instant } from "../core/clock.ts";
import type { PrometheusAnswer } from "../core/prometheus.ts";
import type { MetricPoint } from "./rehearsal.ts";

/** A text with every white space made one blank: how queries are compared. */
export function oneBlank(text: string): string {
  return text.trim().replaceAll(/\s+/gu, " ");
}

/** Prometheus as a table of whole queries; nothing is evaluated. */
export interface ScriptedMetrics {
  query(promql: string, at?: Instant): PrometheusAnswer;
  /** Queries that were asked and that the table does not have. */
  readonly unknown: ReadonlySet<string>;
}

/** The value of a query is that of its last point not after now; before its first point there is no series. */
export function createScriptedMetrics(
  tables: Readonly<Record<string, readonly MetricPoint[]>>,
  start: Instant,
  now: () => Instant,
): ScriptedMetrics {
  const unknown = new Set<string>();
  return {
    unknown,
    query(promql, at = now()) {
      const query = oneBlank(promql);
      const points = Object.hasOwn(tables, query) ? tables[query] : undefined;
      if (points === undefined) {
        unknown.add(query);
        return { kind: "unavailable", reason: `the rehearsal has no values for ${query}` };
      }
      const value = points.findLast((point) => start + point.fromMs <= at)?.value ?? "none";
      if (value === "down") return { kind: "unavailable", reason: "connection refused (rehearsed)" };
      if (value === "partial") return { kind: "incomplete", reason: "a store did not answer (rehearsed)" };
      return { kind: "samples", samples: value === "none" ? [] : [{ labels: {}, value, at }], warnings: [] };
    },
  };
}
