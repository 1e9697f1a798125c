import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Diagnostic, Matcher, Runbook, Trigger } from "../../packages/sdk/src/wire/runbooks.ts";
import { dangerOfRegex, matches, matchesValue } from "../core/matcher.ts";

/** The runbook one of whose triggers matches the labels. A set without errors has at most one. */
export function matchTriggers(runbooks: readonly Runbook[], labels: Labels): Runbook | undefined {
  return runbooks.find((runbook) => runbook.triggers.some((trigger) => matches(trigger.matchers, labels)));
}

/** Errors of the set as a whole: two runbooks whose triggers can match the same alert, and two of one id. */
export function checkRunbookSet(runbooks: readonly Runbook[]): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const [index, runbook] of runbooks.entries()) {
    for (const other of runbooks.slice(0, index)) {
      if (other.id === runbook.id) {
        diagnostics.push({
          file: runbook.file,
          position: { line: 1, column: 1 },
          severity: "error",
          rule: "repeated-runbook",
          message: `${other.file} has the id \`${runbook.id}\` too.`,
          accepted: "a file name of its own",
        });
        continue;
      }
      for (const trigger of runbook.triggers) {
        const rival = other.triggers.find((one) => canBothMatch(one, trigger));
        if (rival === undefined) continue;
        diagnostics.push({
          file: runbook.file,
          position: trigger.position,
          severity: "error",
          rule: "ambiguous-trigger",
          message: `\`${trigger.source}\` and \`${rival.source}\` of ${other.file}:${rival.position.line} can match the same alert.`,
          accepted: 'triggers that differ in a label, e.g. one with `severity="critical"` and one with `severity!="critical"`',
        });
      }
    }
  }
  return diagnostics;
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

/** Values that a label can have, when one matcher names them all. */
function finiteValues(matchers: readonly Matcher[]): readonly string[] | undefined {
  for (const { op, value } of matchers) {
    if (op === "=") return [value];
    // Alternatives of plain words are the whole language of the expression.
    if (op === "=~" && dangerOfRegex(value) === undefined && /^[\p{L}\p{N} _:/|-]*$/u.test(value)) return value.split("|");
  }
  return undefined;
}
