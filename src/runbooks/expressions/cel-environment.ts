import { TypeError as CelTypeError, Environment, EvaluationError, ParseError } from "@marcbachmann/cel-js";

/** The names that an expression may begin with. */
export const rootNames = ["alert", "params", "steps", "result", "before", "now", "run"] as const;

let shared: Environment | undefined;

/** CEL with our names and bounds, made once. Numbers of both kinds may be mixed, and `a.?b.orValue(c)` reads what may be absent. */
export function celEnvironment(): Environment {
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
  shared = env;
  return env;
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
  const summary = (text.split("\n")[0]?.slice(0, 200) ?? "").replaceAll(/\p{Cs}/gu, "\uFFFD");
  if (!isCelError) return { summary };
  return { code: thrown.code, summary, ...(thrown.range !== undefined && { start: thrown.range.start }) };
}
