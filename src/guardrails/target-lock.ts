import { canonicalTarget } from "../core/canonical-target.ts";
import { sha256 } from "../core/json.ts";
import type { Claim } from "../core/verdict.ts";
import { type Guardrail, isMutation, touchedTargets } from "./guardrail.ts";

/** One run at a time changes a target: locks the run's target and everything that the plan touches, until the run ends. */
export const targetLock: Guardrail = ({ action, target, plan }) => {
  if (!isMutation(action)) return { kind: "allow", claims: [] };
  return { kind: "allow", claims: touchedTargets({ target, plan }).map(targetClaim) };
};

/** The lock of one target. The name is hashed, because a target may hold text from an alert. */
export function targetClaim(target: string): Claim {
  return { lock: `target:${sha256(canonicalTarget(target))}` };
}
