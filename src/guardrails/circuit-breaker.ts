import type { Instant } from "../core/clock.ts";
import { sha256 } from "../core/json.ts";
import type { Verdict } from "../core/verdict.ts";
import { allowed, type GuardFacts, type Guardrail, isRaise } from "./guardrail.ts";

/** Failures this close together open the breaker, and it stays open as long after the last of them. */
const windowMs = 30 * 60_000;
/** Runs of a runbook that did not help, one after the other, before a person decides about the next. */
const maxIneffective = 2;

/**
 * What failed again and again is not tried by a machine for half an hour, an action as well as an action on one target; after that one person's
 * permission makes one attempt, which closes or opens it again. A runbook that did not help twice in a row asks too.
 * Three states after Nygard, Release It!: closed, open, half-open.
 */
export const circuitBreaker: Guardrail = ({ action, approved }, { now, facts, policy }) => {
  if (!isRaise(action)) return allowed;
  const verdicts = breakersOf(action.name, facts).map((breaker) =>
    judge(breaker, { now, approved, count: policy.limits.breaker_failures }),
  );
  const refused = verdicts.find(({ kind }) => kind === "refuse");
  if (refused !== undefined) return refused;
  const asked = verdicts.find(({ kind }) => kind === "ask");
  if (asked !== undefined) return asked;
  if (facts.ineffectiveRuns >= maxIneffective && !approved)
    return ask(`the last ${facts.ineffectiveRuns} runs of this runbook did not help`);
  return { kind: "allow", claims: verdicts.flatMap((verdict) => (verdict.kind === "allow" ? verdict.claims : [])) };
};

interface Breaker {
  /** What failed, for people. */
  readonly what: string;
  readonly key: string;
  readonly failures: readonly Instant[];
}

function breakersOf(action: string, { failures, targetFailures }: GuardFacts): readonly Breaker[] {
  return [
    { what: action, key: action, failures },
    ...Object.entries(targetFailures).map(([target, times]) => ({
      what: `${action} on ${target}`,
      key: `${action}:${sha256(target)}`,
      failures: times,
    })),
  ];
}

/** `count`: failures that open the breaker. */
function judge(
  { what, key, failures }: Breaker,
  { now, approved, count }: { readonly now: Instant; readonly approved: boolean; readonly count: number },
): Verdict {
  const openedAt = lastOpening(failures, count);
  if (openedAt === undefined) return allowed;
  const closesAt = openedAt + windowMs;
  const failed = `${what} failed ${count} times within 30 minutes`;
  if (now < closesAt) return { kind: "refuse", guardrail: "circuit-breaker", reason: failed, retryAt: closesAt };
  if (!approved) return ask(`${failed} and has not worked since`);
  // Half-open lets exactly one attempt through, however many people permitted one.
  return { kind: "allow", claims: [{ bucket: `circuit-breaker:trial:${key}`, max: 1, windowMs, amount: 1 }] };
}

function ask(reason: string) {
  return { kind: "ask", guardrail: "circuit-breaker", reason: `circuit-breaker: ${reason}.` } as const;
}

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
