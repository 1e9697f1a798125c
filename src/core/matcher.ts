import type { Labels } from "./alert.ts";

/** One label matcher of Alertmanager's syntax. */
export interface Matcher {
  readonly label: string;
  readonly op: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

/** Whether the label set satisfies every matcher; a missing label counts as empty, regular expressions are anchored, as in Alertmanager. */
export function matches(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every(({ label, op, value }) => {
    const actual = Object.hasOwn(labels, label) ? (labels[label] ?? "") : "";
    switch (op) {
      case "=":
        return actual === value;
      case "!=":
        return actual !== value;
      case "=~":
        return new RegExp(`^(?:${value})$`, "u").test(actual);
      case "!~":
        return !new RegExp(`^(?:${value})$`, "u").test(actual);
    }
  });
}
