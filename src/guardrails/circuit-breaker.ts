import type { Instant } from "../core/clock.ts";
import { allowed, type Guardrail, isRaise } from "./guardrail.ts";

/** Failures this close together open the breaker, and it stays open as long after the last of them. */
const windowMs = 30 * 60_000;

/**
 * An action that failed again and again is not tried by a machine for half an hour; after that one person's permission closes or opens it again.
 * Three states after Nygard, Release It!: closed, open, half-open.
 */
export const circuitBreaker: Guardrail = ({ action, approved }, now, { failures }, { limits }) => {
  if (!isRaise(action)) return allowed;
  const openedAt = lastOpening(failures, limits.breaker_failures);
  if (openedAt === undefined) return allowed;
  const closesAt = openedAt + windowMs;
  const what = `${action.name} failed ${limits.breaker_failures} times within 30 minutes`;
  if (now < closesAt) return { kind: "refuse", guardrail: "circuit-breaker", reason: what, retryAt: closesAt };
  if (approved) return allowed;
  return { kind: "ask", guardrail: "circuit-breaker", reason: `circuit-breaker: ${what} and has not worked since.` };
};

/** When the breaker opened last: by `count` failures within the window, or by one failure of an attempt that was permitted half-open. */
function lastOpening(failures: readonly Instant[], count: number): Instant | undefined {
  let opened: Instant | undefined;
  for (const [index, at] of failures.entries()) {
    const first = failures[index - count + 1];
    const isTrial = opened !== undefined && at >= opened + windowMs;
    if (isTrial || (first !== undefined && at - first <= windowMs)) opened = at;
  }
  return opened;
}
