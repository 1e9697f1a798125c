import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";
import type { Matcher } from "../../../packages/sdk/src/wire/runbooks.ts";
import { formatDuration, parseDuration } from "../../core/duration.ts";
import { maskPromql } from "./promql-template.ts";

/** A query as far as it could be read; offsets are of its text. */
export interface PromqlReading {
  /** Offset of the first thing that cannot be read. */
  readonly errorAt?: number;
  readonly selectors: readonly PromqlSelector[];
}

/** One vector selector: what a query reads. */
export interface PromqlSelector {
  /** Absent when only matchers select. */
  readonly metric?: string;
  readonly matchers: readonly Matcher[];
  readonly offset: number;
}

/** Reads a query, templates included, and lists its selectors. */
export function readPromql(query: string): PromqlReading {
  const masked = maskPromql(query);
  if (!masked.ok) return { errorAt: masked.offset, selectors: [] };
  const text = masked.masked;
  let errorAt: number | undefined;
  const selectors: PromqlSelector[] = [];
  parser.parse(text).iterate({
    enter: ({ node }) => {
      if (node.type.isError) errorAt ??= node.from;
      if (node.name === "VectorSelector") selectors.push(selectorOf(node, text));
    },
  });
  return { selectors, ...(errorAt !== undefined && { errorAt }) };
}

/** The series that a query reads, each as a selector that can be queried alone. */
export function seriesRead(query: string): readonly string[] {
  return [...new Set(readPromql(query).selectors.map(selectorText))];
}

function selectorText({ metric, matchers }: PromqlSelector): string {
  return `${metric ?? ""}{${matchers.map(({ label, op, value }) => `${label}${op}${JSON.stringify(value)}`).join(",")}}`;
}

function selectorOf(node: SyntaxNode, text: string): PromqlSelector {
  const identifier = node.getChild("Identifier");
  const matchers: Matcher[] = [];
  let metric = identifier === null ? undefined : text.slice(identifier.from, identifier.to);
  for (let child = node.getChild("LabelMatchers")?.firstChild ?? null; child !== null; child = child.nextSibling) {
    const name = child.getChild("LabelName") ?? child.getChild("QuotedLabelName");
    const op = child.getChild("MatchOp");
    const value = child.getChild("StringLiteral");
    if (child.name === "QuotedLabelName") metric = unquote(text.slice(child.from, child.to));
    if (name === null || op === null || value === null) continue;
    const matcher: Matcher = {
      label: unquote(text.slice(name.from, name.to)),
      op: operatorOf(text.slice(op.from, op.to)),
      value: unquote(text.slice(value.from, value.to)),
    };
    if (matcher.label === "__name__" && matcher.op === "=") metric = matcher.value;
    else matchers.push(matcher);
  }
  return { ...(metric !== undefined && { metric }), matchers, offset: node.from };
}

function operatorOf(text: string): Matcher["op"] {
  return text === "!=" || text === "=~" || text === "!~" ? text : "=";
}

function unquote(text: string): string {
  if (!/^["'`]/u.test(text)) return text;
  const inner = text.slice(1, -1);
  return text.startsWith("`") ? inner : inner.replaceAll(/\\(["'\\])/gu, "$1");
}

/** A duration that a query names; offsets are of its text. */
export interface PromqlDuration {
  readonly from: number;
  readonly to: number;
  readonly ms: number;
}

/** Every range, offset and subquery duration of a query. Comparisons, `@` and plain numbers are none. */
export function durationsOf(query: string): readonly PromqlDuration[] {
  const masked = maskPromql(query);
  if (!masked.ok) return [];
  const durations: PromqlDuration[] = [];
  parser.parse(masked.masked).iterate({
    enter: ({ node }) => {
      if (node.name !== "NumberDurationLiteralInDurationContext") return;
      if (masked.holes.some((hole) => hole.start < node.to && hole.end > node.from)) return;
      const text = query.slice(node.from, node.to);
      const ms = durationMs(text);
      // A bare number beside an operator is a factor and no duration.
      const isFactor = /^[\d.]+$/u.test(text) && isOperand(node);
      if (ms !== undefined && !isFactor) durations.push({ from: node.from, to: node.to, ms });
    },
  });
  return durations;
}

/**
 * Divides every range, offset and subquery duration of a query; at least one millisecond stays.
 * Throws SyntaxError with the offset when the query cannot be read.
 */
export function divideRanges(query: string, factor: number): string {
  const { errorAt } = readPromql(query);
  if (errorAt !== undefined) throw new SyntaxError(`PromQL cannot be read at offset ${errorAt}: ${query}`);
  return durationsOf(query).reduceRight(
    (text, { from, to, ms }) => text.slice(0, from) + dividedDuration(ms, factor) + text.slice(to),
    query,
  );
}

/** A duration of `ms / factor` in Prometheus's grammar; zero stays zero, everything else keeps at least one millisecond. */
export function dividedDuration(ms: number, factor: number): string {
  return ms === 0 ? "0s" : formatDuration(Math.max(1, Math.round(ms / factor)));
}

function durationMs(text: string): number | undefined {
  const seconds = Number(text);
  return Number.isFinite(seconds) ? Math.round(seconds * 1000) : parseDuration(text);
}

function isOperand(node: SyntaxNode): boolean {
  const parent = node.parent?.parent;
  return parent?.getChild("Mul") != null || parent?.getChild("Div") != null;
}
