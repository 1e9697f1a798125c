import { canonicalTarget } from "../core/canonical-target.ts";
import { allowed, type Guardrail, isRaise, touchedTargets } from "./guardrail.ts";

/** Some targets are never raised by a machine, whatever a runbook says and whichever person permits it. */
export const protectedTargets: Guardrail = (candidate, { policy }) => {
  if (!isRaise(candidate.action)) return allowed;
  const target = touchedTargets(candidate).find((one) => policy.protectedTargets.some((pattern) => covers(pattern, one)));
  if (target === undefined) return allowed;
  return { kind: "refuse", guardrail: "protected-targets", reason: `${target} is protected by the configuration` };
};

/** Both sides in canonical form, so that no other spelling of a protected target is let through. */
function covers(pattern: string, target: string): boolean {
  if (!pattern.endsWith("/*")) return target === canonicalTarget(pattern);
  const base = canonicalTarget(pattern.slice(0, -2));
  return target === base || target.startsWith(`${base}/`);
}
