import type { Plan } from "../../packages/sdk/src/wire/plans.ts";
import { escapeHidden } from "./clean-text.ts";

/**
 * Everything that a person approves with a plan, one fact a line and nothing cut: what decides may be in the last target, the last character of a
 * value, or in what only the action reads. Characters that turn or hide text are written out.
 */
export function describePlan({ summary, targets, changes, reversible, data }: Plan): readonly string[] {
  return [
    summary,
    ...targets.map((target) => `target: ${target}`),
    ...changes.map(({ target, field, before, after }) => `${target} ${field}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`),
    ...(data === null ? [] : [`details: ${JSON.stringify(data)}`]),
    `can be undone: ${reversible ? "yes" : "no"}`,
  ].map((line) => escapeHidden(line).replaceAll("\n", "\\n").replaceAll("\t", "\\t"));
}
