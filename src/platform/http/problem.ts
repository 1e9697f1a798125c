import { type Problem, type ProblemName, problems, problemType } from "../../../packages/sdk/src/wire/problems.ts";

/** A problem of the closed set. `detail` must not hold a secret or a stack. */
export function aProblem(name: ProblemName, detail: string, issues?: readonly string[]): Problem {
  const { status, title } = problems[name];
  return { type: problemType(name), title, status, detail, ...(issues === undefined ? {} : { issues }) };
}
