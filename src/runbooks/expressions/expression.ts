import type { ParseResult } from "@marcbachmann/cel-js";
import type { Alert } from "../../../packages/sdk/src/wire/alerts.ts";
import type { Truth } from "../../../packages/sdk/src/wire/journal.ts";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { withinCost } from "./cel-cost.ts";
import { celFault, parseCel, rootNames } from "./cel-environment.ts";
import { type CelValue, toCel, toJson } from "./cel-value.ts";
import { checkExpression, type ExpressionReads } from "./check-expression.ts";
import { maskPromql } from "./promql-template.ts";
import { splitTemplates } from "./template.ts";
import { fillUrl, splitUrl } from "./url-template.ts";

/** The names an expression may read. Values are data: a string that looks like an expression stays a string. */
export interface Scope {
  readonly alert?: Partial<Alert>;
  readonly params?: { readonly [name: string]: Json };
  /** Step id → `{ result }`; a result of null is that of a step that is over and left none. */
  readonly steps?: { readonly [stepId: string]: Json };
  /** The result of the step whose Expected is evaluated. */
  readonly result?: Json;
  /** Tracked metrics at the run's start; null when one could not be seen. */
  readonly before?: { readonly [metric: string]: number | null };
  readonly now?: { readonly [metric: string]: number | null };
  readonly run?: { readonly [field: string]: Json };
}

/** `missing`: something the expression reads is not there, or was not a finite number. */
export type Evaluation =
  | { readonly kind: "value"; readonly value: Json }
  | { readonly kind: "missing"; readonly what: string }
  | { readonly kind: "error"; readonly message: string };

/** Evaluates CEL over the scope. A missing name, field, index or value that is not finite is `missing`; never throws. */
export function evaluate(source: string, scope: Scope): Evaluation {
  const program = programOf(source);
  if ("message" in program) return { kind: "error", message: program.message };
  const absent = program.reads.resultTests.filter(({ step }) => isWithoutResult(scope, step));
  if (absent.length > 0) return evaluate(absent.reduce(replaceByFalse, source), scope);
  try {
    const answer: unknown = withinCost(program.run.ast, () => program.run(contextOf(scope, source)));
    return fromCel(answer);
  } catch (thrown) {
    return evaluationFailure(source, thrown);
  }
}

/** Ids of the steps that an expression reads and that are over without a result. */
export function stepsWithoutResult(source: string, scope: Scope): readonly string[] {
  const program = programOf(source);
  return "message" in program ? [] : program.reads.steps.filter((step) => isWithoutResult(scope, step));
}

function isWithoutResult({ steps }: Scope, step: string): boolean {
  const one = steps !== undefined && Object.hasOwn(steps, step) ? steps[step] : undefined;
  return one !== undefined && isJsonObject(one) && one["result"] === null;
}

/** CEL finds a field that holds null, and fails below it; a result that is not there has nothing in it. Offsets stay as they are. */
function replaceByFalse(source: string, { start, end }: { readonly start: number; readonly end: number }): string {
  return `${source.slice(0, start)}${"false".padEnd(end - start)}${source.slice(end)}`;
}

type Program = { readonly run: ParseResult; readonly reads: ExpressionReads } | { readonly message: string };

const maxPrograms = 500;
const programs = new Map<string, Program>();

/** A checked expression; the same few are evaluated again and again while a run waits, so they are kept. */
function programOf(source: string): Program {
  const cached = programs.get(source);
  if (cached !== undefined) return cached;
  const checked = checkExpression(source, undefined);
  const program: Program = checked.ok ? { run: parseCel(source), reads: checked } : { message: checked.message };
  if (programs.size >= maxPrograms) programs.clear();
  programs.set(source, program);
  return program;
}

/** Only the values true and false are certain. */
export function truthOf(evaluation: Evaluation): Truth {
  if (evaluation.kind !== "value") return "inconclusive";
  if (evaluation.value === true) return "true";
  return evaluation.value === false ? "false" : "inconclusive";
}

/** The scope with every `${{ }}` of the value replaced, in one pass: what was inserted is never read again. */
export function resolveTemplates(
  value: Json,
  scope: Scope,
): { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly what: string } {
  if (typeof value === "string") return resolveText(value, scope);
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const item of value as readonly Json[]) {
      const resolved = resolveTemplates(item, scope);
      if (!resolved.ok) return resolved;
      items.push(resolved.value);
    }
    return { ok: true, value: items };
  }
  if (isJsonObject(value)) {
    const fields: [string, Json][] = [];
    for (const [key, field] of Object.entries(value)) {
      const resolved = resolveTemplates(field, scope);
      if (!resolved.ok) return resolved;
      fields.push([key, resolved.value]);
    }
    return { ok: true, value: Object.fromEntries(fields) };
  }
  return { ok: true, value };
}

function resolveText(text: string, scope: Scope): ReturnType<typeof resolveTemplates> {
  const split = splitTemplates(text);
  if (!split.ok) return { ok: false, what: split.message };
  const [only] = split.parts;
  if (split.parts.length === 1 && only?.kind === "expression") {
    const evaluation = evaluate(only.source, scope);
    return evaluation.kind === "value" ? { ok: true, value: evaluation.value } : { ok: false, what: failureText(only, evaluation) };
  }
  let resolved = "";
  for (const part of split.parts) {
    if (part.kind === "text") {
      resolved += part.text;
      continue;
    }
    const evaluation = evaluate(part.source, scope);
    if (evaluation.kind !== "value") return { ok: false, what: failureText(part, evaluation) };
    if (evaluation.value === null || typeof evaluation.value === "object") {
      return { ok: false, what: `\${{ ${part.source} }} is no text, number or boolean, so it cannot stand inside a text` };
    }
    resolved += String(evaluation.value);
  }
  return { ok: true, value: resolved };
}

/**
 * The query with every `${{ }}` replaced. Inside quotes a value is escaped for PromQL, and for RE2 too behind `=~` and `!~`,
 * so that a label can never widen a selector; outside quotes only a finite number fits.
 */
export function resolvePromql(
  query: string,
  scope: Scope,
): { readonly ok: true; readonly query: string } | { readonly ok: false; readonly what: string } {
  const masked = maskPromql(query);
  if (!masked.ok) return { ok: false, what: masked.message };
  let resolved = "";
  let from = 0;
  for (const hole of masked.holes) {
    const evaluation = evaluate(hole.source, scope);
    if (evaluation.kind !== "value") return { ok: false, what: failureText(hole, evaluation) };
    const text = promqlText(evaluation.value, hole.place);
    if (text === undefined) return { ok: false, what: `\${{ ${hole.source} }} stands outside quotes and is no finite number` };
    resolved += query.slice(from, hole.start) + text;
    from = hole.end;
  }
  return { ok: true, query: resolved + query.slice(from) };
}

/** The URL with every `${{ }}` replaced, each value encoded for the place where it stands, so that a label never names another target. */
export function resolveUrl(
  url: string,
  scope: Scope,
): { readonly ok: true; readonly value: string } | { readonly ok: false; readonly what: string } {
  const split = splitUrl(url);
  if (!split.ok) return split;
  const filled = fillUrl(split.parts, (source) => {
    const evaluation = evaluate(source, scope);
    if (evaluation.kind !== "value") return { what: failureText({ source }, evaluation) };
    if (evaluation.value === null || typeof evaluation.value === "object")
      return { what: `\${{ ${source} }} is no text, number or boolean, so it cannot stand inside a URL` };
    return String(evaluation.value);
  });
  return filled.ok ? { ok: true, value: filled.url } : filled;
}

function promqlText(value: Json, place: "text" | "regex" | "number"): string | undefined {
  if (place === "number") return typeof value === "number" && Number.isFinite(value) ? String(value) : undefined;
  if (value === null || typeof value === "object") return undefined;
  const plain = place === "regex" ? String(value).replaceAll(/[\\^$.*+?()[\]{}|]/gu, "\\$&") : String(value);
  return plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("'", "\\'").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}

function failureText(part: { readonly source: string }, evaluation: Exclude<Evaluation, { kind: "value" }>): string {
  return evaluation.kind === "missing"
    ? `\${{ ${part.source} }}: ${evaluation.what} is missing`
    : `\${{ ${part.source} }}: ${evaluation.message}`;
}

/** Only the names that the source can mean are converted. */
function contextOf(scope: Scope, source: string): Record<string, CelValue> {
  const context: Record<string, CelValue> = {};
  for (const name of rootNames) {
    if (!source.includes(name)) continue;
    const value = name === "steps" ? stepsToCel(scope.steps ?? {}) : toCel(scope[name]);
    if (value !== undefined) context[name] = value;
  }
  return context;
}

/** A result of null stays, so that an expression can ask for it. */
function stepsToCel(steps: NonNullable<Scope["steps"]>): CelValue {
  const none = { result: null };
  return Object.fromEntries(
    Object.entries(steps).flatMap(([id, step]): [string, CelValue][] => {
      const converted = isJsonObject(step) && step["result"] === null ? none : toCel(step);
      return converted === undefined ? [] : [[id, converted]];
    }),
  );
}

function fromCel(value: unknown): Evaluation {
  const converted = toJson(value);
  if (converted === undefined) return { kind: "error", message: "The result is no finite number, text, boolean, list or map." };
  return { kind: "value", value: converted };
}

function evaluationFailure(source: string, thrown: unknown): Evaluation {
  const { code, start, summary } = celFault(thrown);
  if (code === "no_such_key" || code === "index_out_of_bounds" || code === "unknown_variable") {
    const what = start === undefined ? source : (/^[\w.[\]"'-]*/u.exec(source.slice(pathStart(source, start)))?.[0] ?? source);
    return { kind: "missing", what: `\`${what === "" ? source : what}\`` };
  }
  return { kind: "error", message: summary };
}

function pathStart(source: string, offset: number): number {
  let start = offset;
  while (start > 0 && /[\w.[\]"'-]/u.test(source[start - 1] ?? "")) start -= 1;
  return start;
}
