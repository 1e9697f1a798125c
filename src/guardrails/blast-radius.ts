import { allowed, type Guardrail, isRaise } from "./guardrail.ts";

const hourMs = 3_600_000;

/** How many targets one run, and all runs of an hour, may raise. */
export const blastRadius: Guardrail = ({ action, plan, raised }, _now, _facts, { limits }) => {
  if (!isRaise(action)) return allowed;
  const fresh = new Set(plan.targets.filter((target) => !raised.includes(target)));
  const reach = new Set([...raised, ...fresh]).size;
  if (reach > limits.targets_per_run) {
    return {
      kind: "refuse",
      guardrail: "blast-radius",
      reason: `this run would raise ${reach} targets; targets_per_run permits ${limits.targets_per_run}`,
    };
  }
  if (fresh.size === 0) return allowed;
  return { kind: "allow", claims: [{ bucket: "blast-radius:hour", max: limits.targets_per_hour, windowMs: hourMs, amount: fresh.size }] };
};
