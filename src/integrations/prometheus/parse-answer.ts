import { z } from "zod";
import type { PrometheusAnswer, PrometheusSample } from "../../core/prometheus.ts";
import type { PrometheusRange } from "./prometheus-range.ts";

const labels = z.record(z.string(), z.string());
const point = z.tuple([z.number(), z.string()]);
const vector = z.array(z.object({ metric: labels, value: point.optional() }));
const matrix = z.array(z.object({ metric: labels, values: z.array(point).default([]) }));

const answerSchema = z.object({
  status: z.enum(["success", "error"]),
  error: z.string().optional(),
  errorType: z.string().optional(),
  warnings: z.array(z.string()).default([]),
  data: z.object({ resultType: z.string(), result: z.unknown() }).optional(),
});

/** Samples of an instant query. A native histogram has no single number and becomes NaN; a string has none and is unavailable. */
export function parseVector(status: number, body: string): PrometheusAnswer {
  const parsed = parseAnswer(status, body);
  if ("reason" in parsed) return { kind: "unavailable", reason: parsed.reason };
  const { resultType, result, warnings } = parsed;
  if (resultType === "scalar") {
    const scalar = point.safeParse(result);
    if (scalar.success) return { kind: "samples", samples: [sampleOf({}, scalar.data)], warnings };
  }
  if (resultType === "vector") {
    const rows = vector.safeParse(result);
    if (rows.success) {
      return { kind: "samples", samples: rows.data.map(({ metric, value }) => sampleOf(metric, value ?? [0, "NaN"])), warnings };
    }
  }
  return { kind: "unavailable", reason: `Prometheus answered a ${resultType}, which is no set of samples` };
}

/** Series of a range query. */
export function parseMatrix(status: number, body: string): PrometheusRange {
  const parsed = parseAnswer(status, body);
  if ("reason" in parsed) return { kind: "unavailable", reason: parsed.reason };
  const rows = parsed.resultType === "matrix" ? matrix.safeParse(parsed.result) : undefined;
  if (rows?.success !== true)
    return { kind: "unavailable", reason: `Prometheus answered a ${parsed.resultType}, which is no set of series` };
  const series = rows.data.map(({ metric, values }) => ({
    labels: metric,
    points: values.map(([at, value]) => ({ at: Math.round(at * 1000), value: numberOf(value) })),
  }));
  return { kind: "series", series, warnings: parsed.warnings };
}

function parseAnswer(
  status: number,
  body: string,
): { readonly resultType: string; readonly result: unknown; readonly warnings: readonly string[] } | { readonly reason: string } {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { reason: `HTTP ${status} without JSON: is this a Prometheus?` };
  }
  const parsed = answerSchema.safeParse(json);
  if (!parsed.success) return { reason: `HTTP ${status} with JSON that is no answer of Prometheus` };
  const { data } = parsed.data;
  if (status !== 200 || parsed.data.status === "error" || data === undefined) {
    return { reason: `${parsed.data.errorType ?? `HTTP ${status}`}: ${(parsed.data.error ?? "no reason given").slice(0, 300)}` };
  }
  return { resultType: data.resultType, result: data.result, warnings: parsed.data.warnings };
}

function sampleOf(metric: Readonly<Record<string, string>>, [at, value]: readonly [number, string]): PrometheusSample {
  return { labels: metric, at: Math.round(at * 1000), value: numberOf(value) };
}

/** Prometheus writes NaN, +Inf, -Inf or a Go float. */
function numberOf(text: string): number {
  if (text === "+Inf" || text === "Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  return text.trim() === "" ? Number.NaN : Number(text);
}
