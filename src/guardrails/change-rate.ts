import { hourMs } from "../core/duration.ts";
import { sha256 } from "../core/json.ts";
import type { Claim } from "../core/verdict.ts";
import { allowed, canonicalTargets, type Guardrail, isRaise } from "./guardrail.ts";

/**
 * How often an action may raise, and how often a target may be raised. A target is counted once per run: the steps and the ramp of one run
 * are one decision, and the limit is there for runs that follow each other.
 */
export const changeRate: Guardrail = ({ action, plan, raised }, { policy: { limits } }) => {
  if (!isRaise(action)) return allowed;
  const before = canonicalTargets(raised);
  const fresh = canonicalTargets(plan.targets).filter((target) => !before.includes(target));
  const ofTargets = fresh.map((target): Claim => hourly(`change-rate:target:${sha256(target)}`, limits.raises_per_hour_target));
  return { kind: "allow", claims: [hourly(`change-rate:action:${action.name}`, limits.raises_per_hour_action), ...ofTargets] };
};

function hourly(bucket: string, max: number): Claim {
  return { bucket, max, windowMs: hourMs, amount: 1 };
}
