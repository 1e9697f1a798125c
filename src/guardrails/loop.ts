import { canonicalTarget } from "../core/canonical-target.ts";
import type { Instant } from "../core/clock.ts";
import { allowed, type Guardrail, isMutation, isRaise, touchedTargets } from "./guardrail.ts";
import { changeRetentionMs, type TargetChange } from "./target-change.ts";

/** An alert this soon after a change of ours may have been caused by it. */
const selfCausedWindowMs = 30 * 60_000;
/** This often may one run undo what another has set before a person is asked. */
const maxReversals = 3;

/**
 * Automation that reacts to itself: an alert about runbookd changes nothing; what another run changed within half an hour is not raised again by a
 * machine; and when runs undo each other's settings again and again, a person decides. Stops go on: only the first of the three holds them.
 * (Lessons of counter-acting controllers, e.g. the AWS DynamoDB disruption of 2025-10-19, where two enactors overwrote each other.)
 */
export const loop: Guardrail = (candidate, { now, facts: { changes } }) => {
  const { action, alertName, approved, byMachine, runId } = candidate;
  if (!isMutation(action)) return allowed;
  if (alertName?.startsWith("Runbookd") === true)
    return { kind: "refuse", guardrail: "loop", reason: `${alertName} is about runbookd itself, and such an alert changes nothing` };
  if (!isRaise(action) || approved) return allowed;

  const touched = new Set(touchedTargets(candidate));
  const relevantChanges = changes.filter(({ target, at }) => touched.has(canonicalTarget(target)) && at > now - changeRetentionMs);
  const fought = reversalsBetweenRuns(relevantChanges);
  if (fought >= maxReversals)
    return ask(`runs have undone each other's settings of ${[...touched].join(", ")} ${fought} times within two hours`);
  const recent = byMachine
    ? relevantChanges.findLast((change) => change.runId !== runId && change.at > now - selfCausedWindowMs)
    : undefined;
  if (recent === undefined) return allowed;
  return ask(`run ${recent.runId} changed ${recent.target} ${minutesAgo(now, recent.at)} ago, and its alert may be the consequence`);
};

/** How often a change took a field back to where it was before another run had set it. Oldest first. */
export function reversalsBetweenRuns(changes: readonly TargetChange[]): number {
  const last = new Map<string, TargetChange>();
  let reversals = 0;
  for (const change of changes) {
    const key = JSON.stringify([change.target, change.field]);
    const before = last.get(key);
    if (before !== undefined && before.runId !== change.runId && change.after === before.before && change.after !== change.before)
      reversals += 1;
    last.set(key, change);
  }
  return reversals;
}

function ask(reason: string) {
  return { kind: "ask", guardrail: "loop", reason: `loop: ${reason}; a person decides.` } as const;
}

function minutesAgo(now: Instant, at: Instant): string {
  return `${Math.max(1, Math.round((now - at) / 60_000))} min`;
}
