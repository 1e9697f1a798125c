import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Matcher, Runbook, Trigger } from "../../packages/sdk/src/wire/runbooks.ts";
import { matches, matchesValue } from "../core/matcher.ts";

/** The runbook one of whose triggers matches the labels. A set without errors has at most one. */
export function matchTriggers(runbooks: readonly Runbook[], labels: Labels): Runbook | undefined {
  return runbooks.find((runbook) => runbook.triggers.some((trigger) => matches(trigger.matchers, labels)));
}

/** False only when some label proves that no alert satisfies both; two regular expressions that cannot be compared are taken to overlap. */
export function canBothMatch(a: Trigger, b: Trigger): boolean {
  const labels = new Set([...a.matchers, ...b.matchers].map((matcher) => matcher.label));
  return [...labels].every((label) => {
    const together = [...a.matchers, ...b.matchers].filter((matcher) => matcher.label === label);
    const candidates = finiteValues(together);
    return candidates === undefined || candidates.some((value) => together.every((matcher) => matchesValue(matcher, value)));
  });
}

/** Values that a label can have, when one of its matchers names them all; undefined when none does. */
export function finiteValues(matchers: readonly Matcher[]): readonly string[] | undefined {
  for (const { op, value } of matchers) {
    if (op === "=") return [value];
    // Alternatives of plain words are the whole language of the expression.
    if (op === "=~" && /^[\p{L}\p{N} _:/|-]*$/u.test(value)) return value.split("|");
  }
  return undefined;
}
