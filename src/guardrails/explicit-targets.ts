import { type Guardrail, isMutation } from "./guardrail.ts";

const wildcard = /[*?{}[\]|,\s]/;

/** Empty never means all: a mutation names everything that it touches, each by one explicit id. */
export const explicitTargets: Guardrail = ({ action, plan }) => {
  if (!isMutation(action)) return { kind: "allow", claims: [] };
  if (plan.targets.length === 0) return refuse("the plan names no target, and empty never means all");
  const vague = plan.targets.find((target) => !isExplicit(target));
  if (vague !== undefined) return refuse(`"${vague.slice(0, 100)}" is not one explicit id`);
  return { kind: "allow", claims: [] };
};

/** Every part between slashes is there, and none can stand for more than one thing. A URL is explicit when it has a host. */
function isExplicit(target: string): boolean {
  if (/^https?:\/\//.test(target)) return /^https?:\/\/[^/*\s]+(\/[^*\s]*)?$/.test(target);
  return target.length <= 300 && !wildcard.test(target) && target.split("/").every((part) => part !== "" && !/^\.+$/.test(part));
}

function refuse(reason: string) {
  return { kind: "refuse", guardrail: "explicit-targets", reason } as const;
}
