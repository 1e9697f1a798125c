import { Environment, EvaluationError, ParseError, TypeError as CelTypeError, type ASTNode, type ParseResult } from "@marcbachmann/cel-js";
import type { Alert } from "../core/alert.ts";
import type { Truth } from "../core/journal.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import { dangerOfRegex } from "../core/matcher.ts";
import { maskPromql } from "./promql-template.ts";
import { splitTemplates } from "./template.ts";

/** The names an expression may read. Values are data: a string that looks like an expression stays a string. */
export interface Scope {
  readonly alert?: Partial<Alert>;
  readonly params?: { readonly [name: string]: Json };
  /** Step id → `{ result }`. */
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

/** Longest expression that is read, in characters. */
export const maxExpressionLength = 2000;

const maxText = 65_536;
const maxItems = 1000;
const roots = ["alert", "params", "steps", "result", "before", "now", "run"] as const;
const macros: readonly string[] = ["all", "exists", "exists_one", "map", "filter"];

let shared: Environment | undefined;

function environment(): Environment {
  if (shared !== undefined) return shared;
  const env = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 500, maxDepth: 24, maxListElements: 100, maxMapEntries: 100, maxCallArguments: 8 },
  });
  for (const name of roots) env.registerVariable(name, "dyn");
  // Whether a measured number happens to be whole must not decide whether arithmetic works.
  const arithmetic = {
    "+": (a: number, b: number) => a + b,
    "-": (a: number, b: number) => a - b,
    "*": (a: number, b: number) => a * b,
    "/": (a: number, b: number) => a / b,
  };
  for (const [operator, compute] of Object.entries(arithmetic)) {
    env.registerOperator(`int ${operator} double`, (a: bigint, b: number) => compute(Number(a), b));
    env.registerOperator(`double ${operator} int`, (a: number, b: bigint) => compute(a, Number(b)));
  }
  shared = env;
  return env;
}

/** Evaluates CEL over the scope. A missing name, field, index or value that is not finite is `missing`; never throws. */
export function evaluate(source: string, scope: Scope): Evaluation {
  const program = programOf(source);
  if ("message" in program) return { kind: "error", message: program.message };
  try {
    const answer: unknown = program.run(contextOf(scope));
    return fromCel(answer);
  } catch (thrown) {
    return evaluationFailure(source, thrown);
  }
}

type Program = { readonly run: ParseResult } | { readonly message: string };

const mostPrograms = 500;
const programs = new Map<string, Program>();

/** A checked expression; the same few are evaluated again and again while a run waits, so they are kept. */
function programOf(source: string): Program {
  const kept = programs.get(source);
  if (kept !== undefined) return kept;
  const checked = checkExpression(source, undefined);
  const program: Program = checked.ok ? { run: environment().parse(source) } : { message: checked.message };
  if (programs.size >= mostPrograms) programs.clear();
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

/** Which names may be read where an expression stands; an absent list is not checked further. */
export interface KnownNames {
  readonly roots: readonly (typeof roots)[number][];
  readonly params?: readonly string[] | undefined;
  readonly steps?: readonly string[] | undefined;
  readonly result?: readonly string[] | undefined;
  readonly metrics?: readonly string[] | undefined;
}

/** Offsets are of the expression's text. */
export type ExpressionCheck =
  | { readonly ok: true; readonly labels: readonly string[] }
  | { readonly ok: false; readonly message: string; readonly accepted: string; readonly offset: number };

const alertFields = ["labels", "annotations", "status", "startsAt", "endsAt", "fingerprint", "generatorUrl"];

/** Fields of `run` that an expression may read. */
export const runFields = ["id", "runbook", "mode", "target", "source", "acceptedAt", "requester"];

/** Proves syntax, types and names; `labels` are the alert labels that it reads. Without `names` only syntax, types and bounded cost. */
export function checkExpression(source: string, names: KnownNames | undefined): ExpressionCheck {
  if (source.trim() === "") return { ok: false, message: "The expression is empty.", accepted: "a CEL expression", offset: 0 };
  if (source.length > maxExpressionLength) {
    return { ok: false, message: `The expression is longer than ${maxExpressionLength} characters.`, accepted: "a shorter one", offset: 0 };
  }
  try {
    const parsed = environment().parse(source);
    const checked = walk(parsed.ast, names);
    if (!checked.ok) return checked;
    const types = parsed.check();
    if (types.valid) return checked;
    return {
      ok: false,
      message: `${summaryOf(types.error)}.`,
      accepted: "an expression whose types fit",
      offset: types.error?.range?.start ?? 0,
    };
  } catch (thrown) {
    const { range } = celFault(thrown);
    return { ok: false, message: `${summaryOf(thrown)}.`, accepted: "a CEL expression, https://cel.dev", offset: range?.start ?? 0 };
  }
}

function walk(root: ASTNode, names: KnownNames | undefined): ExpressionCheck {
  const labels: string[] = [];
  let fault: Extract<ExpressionCheck, { ok: false }> | undefined;
  const report = (node: ASTNode, message: string, accepted: string) => {
    fault ??= { ok: false, message, accepted, offset: node.range.start };
  };
  const visit = (node: ASTNode, locals: ReadonlySet<string>, loops: number): void => {
    const path = pathOf(node);
    if (path !== undefined && !locals.has(path.root)) {
      checkPath(node, path, names, labels, report);
      for (const index of path.dynamic) visit(index, locals, loops);
      return;
    }
    if (node.op === "call" && node.args[0] === "matches") {
      checkRegex(node, node.args[1][1], report);
    }
    if (node.op === "rcall") {
      const [name, receiver, args] = node.args;
      if (name === "matches") checkRegex(node, args[0], report);
      const [first] = args;
      if (macros.includes(name) && first?.op === "id") {
        if (loops >= 2) report(node, "Loops are nested more than twice.", "at most one loop inside another");
        visit(receiver, locals, loops);
        for (const arg of args.slice(1)) visit(arg, new Set([...locals, first.args]), loops + 1);
        return;
      }
      if (name === "bind" && receiver.op === "id" && receiver.args === "cel" && first?.op === "id") {
        if (args[1] !== undefined) visit(args[1], locals, loops);
        for (const arg of args.slice(2)) visit(arg, new Set([...locals, first.args]), loops);
        return;
      }
    }
    for (const child of childrenOf(node)) visit(child, locals, loops);
  };
  visit(root, new Set(), 0);
  return fault ?? { ok: true, labels };
}

function childrenOf(node: ASTNode): ASTNode[] {
  const found: ASTNode[] = [];
  const collect = (value: unknown) => {
    if (Array.isArray(value)) for (const item of value) collect(item);
    else if (isNode(value)) found.push(value);
  };
  collect(node.args);
  return found;
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

interface Path {
  readonly root: string;
  /** Literal keys up to the first that is computed. */
  readonly keys: readonly string[];
  readonly computed: boolean;
  readonly dynamic: readonly ASTNode[];
}

function pathOf(node: ASTNode): Path | undefined {
  if (node.op === "id") return { root: node.args, keys: [], computed: false, dynamic: [] };
  if (node.op === ".") {
    const inner = pathOf(node.args[0]);
    if (inner === undefined) return undefined;
    return inner.computed ? inner : { ...inner, keys: [...inner.keys, node.args[1]] };
  }
  if (node.op === "[]") {
    const inner = pathOf(node.args[0]);
    if (inner === undefined) return undefined;
    const index = node.args[1];
    if (index.op === "value" && typeof index.args === "string" && !inner.computed) {
      return { ...inner, keys: [...inner.keys, index.args] };
    }
    return { ...inner, computed: true, dynamic: [...inner.dynamic, index] };
  }
  return undefined;
}

function checkPath(
  node: ASTNode,
  path: Path,
  names: KnownNames | undefined,
  labels: string[],
  report: (node: ASTNode, message: string, accepted: string) => void,
): void {
  const [first, second] = path.keys;
  if (path.root === "alert" && first === "labels" && second !== undefined) labels.push(second);
  if (names === undefined) return;
  const list = (values: readonly string[]) => (values.length === 0 ? "nothing here" : values.map((value) => `\`${value}\``).join(", "));
  if (!(names.roots as readonly string[]).includes(path.root)) {
    const known = (roots as readonly string[]).includes(path.root);
    report(node, known ? `\`${path.root}\` cannot be read here.` : `Unknown name \`${path.root}\`.`, list(names.roots));
    return;
  }
  const members: Readonly<Record<string, readonly string[] | undefined>> = {
    alert: alertFields,
    params: names.params,
    steps: names.steps,
    result: names.result,
    before: names.metrics,
    now: names.metrics,
    run: runFields,
  };
  const allowed = members[path.root];
  if (allowed === undefined) return;
  if (first === undefined) {
    if (path.root !== "result" || path.computed) {
      report(node, `\`${path.root}\` is read as a whole or by a computed name.`, `one of its members: ${list(allowed)}`);
    }
    return;
  }
  if (!allowed.includes(first)) {
    report(node, `\`${path.root}.${first}\` does not exist here.`, list([...new Set(allowed)].map((name) => memberText(path.root, name))));
    return;
  }
  if (path.root === "steps" && second !== "result")
    report(node, `Only \`steps.${first}.result\` can be read of a step.`, `\`steps.${first}.result\``);
}

function memberText(root: string, name: string): string {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) ? `${root}.${name}` : `${root}["${name}"]`;
}

function checkRegex(node: ASTNode, pattern: ASTNode | undefined, report: (node: ASTNode, message: string, accepted: string) => void): void {
  if (pattern?.op !== "value" || typeof pattern.args !== "string") {
    report(node, "The pattern of `matches` is computed.", "a pattern written out in quotes");
    return;
  }
  const danger = dangerOfRegex(pattern.args);
  if (danger !== undefined)
    report(node, `The pattern of \`matches\` ${danger}.`, "a pattern without nested repetition, up to 200 characters");
}

type CelValue = null | boolean | number | bigint | string | readonly CelValue[] | { readonly [key: string]: CelValue };

function contextOf(scope: Scope): Record<string, CelValue> {
  const context: Record<string, CelValue> = {};
  for (const name of roots) {
    const value = toCel(scope[name]);
    if (value !== undefined) context[name] = value;
  }
  return context;
}

/** Undefined for what must count as missing: null, numbers that are not finite, texts and lists out of bounds. */
function toCel(value: unknown): CelValue | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") return value.length <= maxText ? value : undefined;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return undefined;
    return Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) {
    if (value.length > maxItems) return undefined;
    const items = value.map((item: unknown) => toCel(item));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  const fields = Object.entries(value).flatMap(([key, field]): [string, CelValue][] => {
    const converted = toCel(field);
    return converted === undefined ? [] : [[key, converted]];
  });
  return Object.fromEntries(fields);
}

function fromCel(value: unknown): Evaluation {
  const converted = toJson(value);
  if (converted === undefined) return { kind: "error", message: "The result is no finite number, text, boolean, list or map." };
  return { kind: "value", value: converted };
}

function toJson(value: unknown): Json | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : undefined;
  }
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => toJson(item));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  if (typeof value !== "object") return undefined;
  const entries: [unknown, unknown][] =
    value instanceof Map
      ? [...(value as Map<unknown, unknown>)]
      : Object.getPrototypeOf(value) === Object.prototype
        ? Object.entries(value)
        : [];
  if (entries.length === 0 && !(value instanceof Map) && Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  const fields: [string, Json][] = [];
  for (const [key, field] of entries) {
    const converted = toJson(field);
    if (converted === undefined) return undefined;
    fields.push([String(key), converted]);
  }
  return Object.fromEntries(fields);
}

function evaluationFailure(source: string, thrown: unknown): Evaluation {
  const { code, range } = celFault(thrown);
  if (code === "no_such_key" || code === "index_out_of_bounds" || code === "unknown_variable") {
    const what = range === undefined ? source : (/^[\w.[\]"'-]*/u.exec(source.slice(pathStart(source, range.start)))?.[0] ?? source);
    return { kind: "missing", what: `\`${what === "" ? source : what}\`` };
  }
  return { kind: "error", message: summaryOf(thrown) };
}

function pathStart(source: string, offset: number): number {
  let start = offset;
  while (start > 0 && /[\w.[\]"'-]/u.test(source[start - 1] ?? "")) start -= 1;
  return start;
}

interface CelFault {
  readonly code?: string;
  readonly range?: { readonly start: number };
}

function celFault(thrown: unknown): CelFault {
  const isKnown = thrown instanceof EvaluationError || thrown instanceof ParseError || thrown instanceof CelTypeError;
  return isKnown ? { code: thrown.code, ...(thrown.range !== undefined && { range: thrown.range }) } : {};
}

function summaryOf(thrown: unknown): string {
  const isKnown = thrown instanceof EvaluationError || thrown instanceof ParseError || thrown instanceof CelTypeError;
  const text = isKnown ? thrown.summary : thrown instanceof Error ? thrown.message : "The expression cannot be evaluated";
  // The lexer may cut a character in half.
  return (text.split("\n")[0]?.slice(0, 200) ?? "").replaceAll(/\p{Cs}/gu, "\uFFFD");
}
