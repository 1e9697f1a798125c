import { type ASTNode, TypeError as CelTypeError, Environment, EvaluationError, ParseError, type ParseResult } from "@marcbachmann/cel-js";
import { readPattern } from "../../core/linear-pattern.ts";
import { type CelEvaluator, meter, spend } from "./cel-cost.ts";

/** The names that an expression may begin with. */
export const rootNames = ["alert", "params", "steps", "result", "before", "now", "run"] as const;

/** The name under which `matches` is called: cel-js runs its own `matches` on an engine that backtracks, and its overload cannot be replaced. */
export const linearMatches = "matchesRe2";

let shared: Environment | undefined;

/** Parses an expression for an environment in which evaluation is metered and `matches` takes linear time. Throws what CEL throws. */
export function parseCel(source: string): ParseResult {
  const parsed = celEnvironment().parse(source);
  replaceMatches(parsed.ast);
  return parsed;
}

function replaceMatches(node: ASTNode): void {
  if (node.op === "rcall" && node.args[0] === "matches") node.args[0] = linearMatches;
  for (const child of childrenOf(node)) replaceMatches(child);
}

/** The nodes directly below a node. */
export function childrenOf(node: ASTNode): ASTNode[] {
  const children: ASTNode[] = [];
  const collect = (value: unknown) => {
    if (Array.isArray(value)) for (const item of value) collect(item);
    else if (isNode(value)) children.push(value);
  };
  collect(node.args);
  return children;
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

/** CEL with our names and bounds, made once. Numbers of both kinds may be mixed, and `a.?b.orValue(c)` reads what may be absent. */
function celEnvironment(): Environment {
  if (shared !== undefined) return shared;
  const env = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxAstNodes: 500, maxDepth: 24, maxListElements: 100, maxMapEntries: 100, maxCallArguments: 8 },
  });
  for (const name of rootNames) env.registerVariable(name, "dyn");
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
  let isMetered = false;
  const meterOnce = (evaluator: CelEvaluator) => {
    if (!isMetered) meter(evaluator);
    isMetered = true;
  };
  env.registerFunction(`string.${linearMatches}(string): bool`, function (this: CelEvaluator, text: string, source: string) {
    meterOnce(this);
    return matchLinear(text, source);
  });
  // cel-js hands its evaluator to functions only.
  env.parse(`"".${linearMatches}("")`)();
  if (!isMetered) throw new Error("cel-js has called a function without its evaluator; nothing would be metered");
  shared = env;
  return env;
}

/** Names of the functions and macros that an expression may call, each once, in alphabetical order. */
export function functionNames(): readonly string[] {
  const names = celEnvironment()
    .getDefinitions()
    .functions.map(({ name }) => name);
  return [...new Set(names)].filter((name) => name !== linearMatches).toSorted();
}

function matchLinear(text: string, source: string): boolean {
  const reading = readPattern(source, "part");
  if (!reading.ok) throw new Error(`The pattern of \`matches\` ${reading.fault}`);
  spend((text.length * reading.pattern.instructions) / 8);
  return reading.pattern.test(text) === true;
}

/** What CEL says about a failure. */
export interface CelFault {
  readonly code?: string;
  /** Offset in the expression where it lies. */
  readonly start?: number;
  /** One line for people. */
  readonly summary: string;
}

/** The single gate from what CEL throws to a fault. */
export function celFault(thrown: unknown): CelFault {
  const isCelError = thrown instanceof EvaluationError || thrown instanceof ParseError || thrown instanceof CelTypeError;
  const text = isCelError ? thrown.summary : thrown instanceof Error ? thrown.message : "The expression cannot be evaluated";
  // The lexer may cut a character in half.
  const summary = (text.split("\n")[0]?.slice(0, 200) ?? "").replaceAll(/\p{Cs}/gu, "\uFFFD").replaceAll(linearMatches, "matches");
  if (!isCelError) return { summary };
  return { code: thrown.code, summary, ...(thrown.range !== undefined && { start: thrown.range.start }) };
}
