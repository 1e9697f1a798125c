import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Matcher } from "../../packages/sdk/src/wire/runbooks.ts";
import { readPattern } from "./linear-pattern.ts";

/** Whether the label set satisfies every matcher; a missing label counts as empty, regular expressions are anchored, as in Alertmanager. */
export function matches(matchers: readonly Matcher[], labels: Labels): boolean {
  const isSatisfied = (matcher: Matcher) => {
    const { label } = matcher;
    return matchesValue(matcher, Object.hasOwn(labels, label) ? (labels[label] ?? "") : "");
  };
  // Comparisons first: an alert of another name never reaches a regular expression.
  return matchers.every((one) => isRegex(one) || isSatisfied(one)) && matchers.every((one) => !isRegex(one) || isSatisfied(one));
}

function isRegex({ op }: Matcher): boolean {
  return op === "=~" || op === "!~";
}

/** Whether one label value satisfies the matcher. A value that is too long for its regular expression satisfies neither `=~` nor `!~`. */
export function matchesValue({ op, value }: Matcher, actual: string): boolean {
  switch (op) {
    case "=":
      return actual === value;
    case "!=":
      return actual !== value;
    case "=~":
      return testPattern(value, actual) === true;
    case "!~":
      return testPattern(value, actual) === false;
  }
}

function testPattern(source: string, text: string): boolean | undefined {
  const reading = readPattern(source);
  return reading.ok ? reading.pattern.test(text) : undefined;
}
