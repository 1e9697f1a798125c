import type { ASTNode } from "@marcbachmann/cel-js";
import { readPattern } from "../../core/linear-pattern.ts";
import { celFault, childrenOf, linearMatches, parseCel, rootNames } from "./cel-environment.ts";

/** Longest expression that is read, in characters. */
export const maxExpressionLength = 2000;

const macros: readonly string[] = ["all", "exists", "exists_one", "map", "filter"];

/** Which names may be read where an expression stands; an absent list is not checked further. */
export interface AllowedNames {
  readonly roots: readonly (typeof rootNames)[number][];
  readonly params?: readonly string[] | undefined;
  readonly steps?: readonly string[] | undefined;
  readonly result?: readonly string[] | undefined;
  readonly metrics?: readonly string[] | undefined;
}

/** A call of `has` on the result of a step, or on something in it. Offsets are of the expression's text. */
export interface ResultTest {
  readonly step: string;
  readonly start: number;
  readonly end: number;
}

/** What an expression reads. */
export interface ExpressionReads {
  /** Labels of the alert. */
  readonly labels: readonly string[];
  /** Ids of the steps whose results it reads, each once. */
  readonly steps: readonly string[];
  readonly resultTests: readonly ResultTest[];
}

/** Offsets are of the expression's text. */
export type ExpressionCheck =
  | ({ readonly ok: true } & ExpressionReads)
  | { readonly ok: false; readonly message: string; readonly accepted: string; readonly offset: number };

/** Fields of `alert` that an expression may read. */
export const alertFields = ["labels", "annotations", "startsAt", "fingerprint"];

/** Fields of `run` that an expression may read. */
export const runFields = ["id", "runbook", "mode", "target", "source", "acceptedAt", "requester"];

/** Proves syntax, types and names, and says what is read. Without `names` only syntax, types and bounded cost. */
export function checkExpression(source: string, names: AllowedNames | undefined): ExpressionCheck {
  if (source.trim() === "") return { ok: false, message: "The expression is empty.", accepted: "a CEL expression", offset: 0 };
  if (source.length > maxExpressionLength) {
    return { ok: false, message: `The expression is longer than ${maxExpressionLength} characters.`, accepted: "a shorter one", offset: 0 };
  }
  try {
    const parsed = parseCel(source);
    const checked = walk(parsed.ast, names);
    if (!checked.ok) return checked;
    const types = parsed.check();
    if (types.valid) return checked;
    const { summary, start = 0 } = celFault(types.error);
    return { ok: false, message: `${summary}.`, accepted: "an expression whose types fit", offset: start };
  } catch (thrown) {
    const { summary, start = 0 } = celFault(thrown);
    return { ok: false, message: `${summary}.`, accepted: "a CEL expression, https://cel.dev", offset: start };
  }
}

function walk(root: ASTNode, names: AllowedNames | undefined): ExpressionCheck {
  const labels: string[] = [];
  const steps = new Set<string>();
  const resultTests: ResultTest[] = [];
  let fault: Extract<ExpressionCheck, { ok: false }> | undefined;
  const report = (node: ASTNode, message: string, accepted: string) => {
    fault ??= { ok: false, message, accepted, offset: node.range.start };
  };
  const visit = (node: ASTNode, locals: ReadonlySet<string>, loops: number): void => {
    const path = pathOf(node);
    if (path !== undefined && !locals.has(path.root)) {
      checkPath(node, path, { names, labels, steps, report });
      for (const index of path.dynamic) visit(index, locals, loops);
      return;
    }
    if (node.op === "call" && node.args[0] === "has") {
      const tested = node.args[1][0] === undefined ? undefined : pathOf(node.args[1][0]);
      const [step, part] = tested?.keys ?? [];
      if (tested?.root === "steps" && !locals.has("steps") && step !== undefined && part === "result")
        resultTests.push({ step, start: node.range.start, end: node.range.end });
    }
    if (node.op === "rcall") {
      const [name, receiver, args] = node.args;
      if (name === linearMatches) checkRegex(node, args[0], report);
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
  return fault ?? { ok: true, labels, steps: [...steps], resultTests };
}

interface Path {
  readonly root: string;
  /** Literal keys up to the first that is computed. */
  readonly keys: readonly string[];
  readonly computed: boolean;
  /** Whether a key may be absent, `a.?b`. */
  readonly optional: boolean;
  readonly dynamic: readonly ASTNode[];
}

function pathOf(node: ASTNode): Path | undefined {
  if (node.op === "id") return { root: node.args, keys: [], computed: false, optional: false, dynamic: [] };
  if (node.op === "." || node.op === ".?") {
    const inner = pathOf(node.args[0]);
    if (inner === undefined) return undefined;
    const optional = inner.optional || node.op === ".?";
    return inner.computed ? inner : { ...inner, optional, keys: [...inner.keys, node.args[1]] };
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

interface PathContext {
  readonly names: AllowedNames | undefined;
  readonly labels: string[];
  readonly steps: Set<string>;
  readonly report: (node: ASTNode, message: string, accepted: string) => void;
}

function checkPath(node: ASTNode, path: Path, { names, labels, steps, report }: PathContext): void {
  const [first, second] = path.keys;
  if (path.root === "steps" && first !== undefined) steps.add(first);
  if (path.root === "alert" && first === "labels" && second !== undefined && !path.optional) labels.push(second);
  if (names === undefined) return;
  const list = (values: readonly string[]) => (values.length === 0 ? "nothing here" : values.map((value) => `\`${value}\``).join(", "));
  if (!(names.roots as readonly string[]).includes(path.root)) {
    const isRootName = (rootNames as readonly string[]).includes(path.root);
    report(node, isRootName ? `\`${path.root}\` cannot be read here.` : `Unknown name \`${path.root}\`.`, list(names.roots));
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
  const reading = readPattern(pattern.args, "part");
  if (!reading.ok) report(node, `The pattern of \`matches\` ${reading.fault}.`, "a regular expression in RE2's syntax");
}
