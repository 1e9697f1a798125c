import { kindOfTarget } from "../core/canonical-target.ts";
import { hourMs } from "../core/duration.ts";
import type { Claim } from "../core/verdict.ts";
import { allowed, canonicalTargets, type Guardrail, isRaise } from "./guardrail.ts";

/**
 * How many targets of a kind one run, and how many all runs of an hour, may raise: absolute numbers, and shares of the kind's fleet where it can be counted.
 * A share never becomes less than one target. After Google's Diskerase (Site Reliability Engineering, chapter 7): an automation that
 * misunderstands its selection must not reach everything at once. Kinds are counted apart, because a command and a call are no selection.
 */
export const blastRadius: Guardrail = ({ action, plan, raised }, { facts: { fleet }, policy: { limits } }) => {
  if (!isRaise(action)) return allowed;
  const before = canonicalTargets(raised);
  const fresh = canonicalTargets(plan.targets).filter((target) => !before.includes(target));
  const claims: Claim[] = [];
  for (const [kind, targets] of byKind([...before, ...fresh])) {
    if (targets.length > limits.targets_per_run)
      return refuse(
        `this run would raise ${targets.length} targets${kind === "" ? "" : ` of kind ${kind}`}; targets_per_run permits ${limits.targets_per_run} (guardrails in runbookd.yml)`,
      );
    const size = Object.hasOwn(fleet, kind) ? fleet[kind] : undefined;
    if (size === undefined) continue;
    const perRun = shareOf(size, limits.percent_per_run);
    if (targets.length > perRun)
      return refuse(
        `this run would raise ${targets.length} of ${size} ${kind} targets; percent_per_run (${limits.percent_per_run}) permits ${perRun}`,
      );
    const amount = targets.filter((target) => fresh.includes(target)).length;
    if (amount > 0)
      claims.push({ bucket: `blast-radius:kind:${kind}`, max: shareOf(size, limits.percent_per_hour), windowMs: hourMs, amount });
  }
  if (fresh.length === 0) return allowed;
  return {
    kind: "allow",
    claims: [{ bucket: "blast-radius:hour", max: limits.targets_per_hour, windowMs: hourMs, amount: fresh.length }, ...claims],
  };
};

function byKind(targets: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const kinds = new Map<string, string[]>();
  for (const target of targets) {
    const kind = kindOfTarget(target) ?? "";
    kinds.set(kind, [...(kinds.get(kind) ?? []), target]);
  }
  return kinds;
}

/** Rounded down, and never less than one target. */
function shareOf(size: number, percent: number): number {
  return Math.max(1, Math.floor((size * percent) / 100));
}

function refuse(reason: string) {
  return { kind: "refuse", guardrail: "blast-radius", reason } as const;
}
