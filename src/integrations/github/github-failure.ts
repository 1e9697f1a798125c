import { failureOfStatus } from "../../actions/failure-of-status.ts";
import type { Instant } from "../../core/clock.ts";
import { StepFailure } from "../../core/failure.ts";
import { GitHubRefusal, type GitHubWritten } from "./create-github-client.ts";

/** What was asked of GitHub. */
export interface AskedGitHub {
  /** E.g. `the pull request`. */
  readonly what: string;
  readonly reads: boolean;
  readonly now: Instant;
}

const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** The value of a call; its refusal as StepFailure. */
export async function orStepFailure<Value>(call: Promise<Value>, asked: AskedGitHub): Promise<Value> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof GitHubRefusal ? stepFailureOf(error, asked) : error;
  }
}

/** Why GitHub did not do it, and what to do about it. A limit applies before anything is done. */
export function stepFailureOf(error: GitHubRefusal, { what, reads, now }: AskedGitHub): StepFailure {
  const { refusal, message } = error;
  switch (refusal.kind) {
    case "limited":
      return new StepFailure({ reason: "overloaded", message, applied: "no", retryAfterMs: Math.max(0, refusal.until - now) });
    case "failed":
      return new StepFailure({ ...refusal.failure, message: `GitHub: ${message}`, ...(reads && { applied: "no" }) });
    case "unreadable":
      return new StepFailure({ reason: reads ? "not_reachable" : "unknown_outcome", message, applied: reads ? "no" : "unknown" });
    case "status":
      return statusFailure(refusal, { what, reads });
  }
}

/** Of an answer whose status is none of those that the caller understands. */
export function statusFailure(
  { status, words }: Pick<GitHubWritten, "status" | "words">,
  { what, reads }: Pick<AskedGitHub, "what" | "reads">,
): StepFailure {
  const failure = failureOfStatus(status, { read: reads, expected: "success", target: "GitHub" });
  // GitHub follows none itself, so that nothing was done.
  const isMoved = redirects.includes(status);
  const said = words === "" ? "" : ` GitHub says: ${words.replace(/\.?$/, ".")}`;
  return new StepFailure({
    ...failure,
    ...(isMoved && { reason: "refused_by_target" as const, applied: "no" as const }),
    message: `${failure.message.replace(/; expected success\.$/, "")} for ${what}.${adviceOf(status)}${said}`,
  });
}

function adviceOf(status: number): string {
  if (status === 401) return " It refuses the token; renew GITHUB_TOKEN.";
  if (redirects.includes(status)) return " It was renamed or moved; write its present name into runbookd.yml.";
  if (status === 403)
    return " The token may lack a permission: Contents, Pull requests, Issues, Actions and Deployments need write access as far as they are used.";
  if (status === 404) return " There is none, or the token does not reach it.";
  return "";
}
