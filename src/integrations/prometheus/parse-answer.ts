import { z } from "zod";
import type { PrometheusAnswer, PrometheusSample, UnseenAnswer } from "../../core/prometheus.ts";
import type { PrometheusRange } from "./prometheus-range.ts";

const labels = z.record(z.string(), z.string());
const point = z.tuple([z.number(), z.string()]);
const histogram = z.tuple([z.number(), z.unknown()]);
const sample = z.object({ metric: labels, value: point.optional(), histogram: histogram.optional() });
const seriesShape = z.object({ metric: labels, values: z.array(point).default([]), histograms: z.array(histogram).default([]) });

const answerSchema = z.object({
  status: z.enum(["success", "error"]),
  error: z.string().nullish(),
  errorType: z.string().nullish(),
  warnings: z.unknown().optional(),
  infos: z.unknown().optional(),
  isPartial: z.unknown().optional(),
  data: z.object({ resultType: z.string(), result: z.unknown(), isPartial: z.unknown().optional() }).optional(),
});

/**
 * Annotations of PromQL that say nothing of missing data. Prometheus 2.x sends them under `warnings`, 3.x under `infos`.
 * Anything else makes an answer incomplete, so that a text which is not known here is never taken for harmless.
 * https://github.com/prometheus/prometheus/blob/main/util/annotations/annotations.go
 */
const harmlessAnnotations = [
  /^PromQL info: metric might not be a counter, /,
  /^PromQL info: input to histogram_quantile needed to be fixed for monotonicity/,
  /^\d+ more info annotations omitted$/,
];

/** Samples of an instant query. A native histogram has no single number and becomes NaN; a string has none and is unavailable. */
export function parseVector(status: number, body: string): PrometheusAnswer {
  const parsed = parseAnswer(status, body);
  if ("reason" in parsed) return parsed;
  const { resultType, result, warnings } = parsed;
  if (resultType === "scalar") {
    const scalar = point.safeParse(result);
    if (scalar.success) return { kind: "samples", samples: [sampleOf({}, scalar.data)], warnings };
  }
  if (resultType === "vector") {
    const read = readEach(sample, result, "sample");
    if (read.kind === "incomplete") return read;
    if (read.kind === "items") {
      return {
        kind: "samples",
        samples: read.items.map(({ metric, value, histogram: [at] = [0] }) => sampleOf(metric, value ?? [at, "NaN"])),
        warnings,
      };
    }
  }
  return { kind: "unavailable", reason: `Prometheus answered a ${resultType}, which is no set of samples` };
}

/** Series of a range query. */
export function parseMatrix(status: number, body: string): PrometheusRange {
  const parsed = parseAnswer(status, body);
  if ("reason" in parsed) return parsed;
  const read = parsed.resultType === "matrix" ? readEach(seriesShape, parsed.result, "series") : undefined;
  if (read?.kind === "incomplete") return read;
  if (read?.kind !== "items")
    return { kind: "unavailable", reason: `Prometheus answered a ${parsed.resultType}, which is no set of series` };
  const series = read.items.map(({ metric, values, histograms }) => ({
    labels: metric,
    points: [...values, ...histograms.map(([at]) => [at, "NaN"] as const)]
      .map(([at, value]) => ({ at: Math.round(at * 1000), value: numberOf(value) }))
      .sort((a, b) => a.at - b.at),
  }));
  return { kind: "series", series, warnings: parsed.warnings };
}

/**
 * The items of a list, each read on its own. With one that cannot be read the answer is incomplete, and says which: to go on with the others would be to
 * decide without the one that may be the reason to act.
 */
function readEach<Item>(
  shape: z.ZodType<Item>,
  list: unknown,
  what: "sample" | "series",
):
  | { readonly kind: "items"; readonly items: readonly Item[] }
  | { readonly kind: "no_list" }
  | (UnseenAnswer & { readonly kind: "incomplete" }) {
  if (!Array.isArray(list)) return { kind: "no_list" };
  const items: Item[] = [];
  for (const [index, item] of list.entries()) {
    const parsed = shape.safeParse(item);
    if (!parsed.success) {
      const { path = [], message = "" } = parsed.error.issues[0] ?? {};
      const named = labels.safeParse(z.looseObject({ metric: z.unknown() }).safeParse(item).data?.metric);
      const which = named.success ? ` ${JSON.stringify(named.data)}` : "";
      const reason = `${what} ${index + 1} of ${list.length}${which} cannot be read: ${path.join(".") || "(whole)"}: ${message}`;
      return { kind: "incomplete", reason: reason.slice(0, 300) };
    }
    items.push(parsed.data);
  }
  return { kind: "items", items };
}

interface ParsedAnswer {
  readonly resultType: string;
  readonly result: unknown;
  readonly warnings: readonly string[];
}

function parseAnswer(status: number, body: string): ParsedAnswer | UnseenAnswer {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { kind: "unavailable", reason: `HTTP ${status} without JSON: is this a Prometheus?` };
  }
  const parsed = answerSchema.safeParse(json);
  if (!parsed.success) return { kind: "unavailable", reason: `HTTP ${status} with JSON that is no answer of Prometheus` };
  const { data } = parsed.data;
  if (status !== 200 || parsed.data.status === "error" || data === undefined) {
    const reason = `${parsed.data.errorType ?? `HTTP ${status}`}: ${(parsed.data.error ?? "no reason given").slice(0, 300)}`;
    return { kind: "unavailable", reason };
  }
  const { annotations, missing } = judgeCompleteness(parsed.data);
  if (missing !== undefined) return { kind: "incomplete", reason: missing.slice(0, 300) };
  return { resultType: data.resultType, result: data.result, warnings: annotations };
}

/** Splits what an answer says of itself into harmless annotations and the first sign that data is missing. */
function judgeCompleteness({ error, errorType, warnings, infos, isPartial, data }: z.output<typeof answerSchema>): {
  readonly annotations: readonly string[];
  readonly missing: string | undefined;
} {
  const annotations = [...textsOf(warnings), ...textsOf(infos)];
  const isPart = [isPartial, data?.isPartial].some((mark) => mark !== undefined && mark !== null && mark !== false);
  const said = [error, errorType].find((text) => text !== undefined && text !== null && text !== "");
  const alarming = annotations.find((annotation) => !harmlessAnnotations.some((harmless) => harmless.test(annotation)));
  return { annotations, missing: alarming ?? said ?? (isPart ? "it says that it is partial" : undefined) };
}

/** Texts of a list, also of one that is no list of texts: nothing that is said may be overlooked. */
function textsOf(list: unknown): readonly string[] {
  if (list === undefined || list === null) return [];
  return [list].flat().map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
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
