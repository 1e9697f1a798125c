import type { Diagnostic, Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { canBothMatch } from "./runbook-set.ts";
import { createTriggerIndex } from "./trigger-index.ts";

/** Errors of the set as a whole: two runbooks whose triggers can match the same alert, and two of one id. */
export function checkRunbookSet(runbooks: readonly Runbook[]): readonly Diagnostic[] {
  const index = createTriggerIndex();
  return runbooks.flatMap((runbook) => {
    const found = index.rivalsOf(runbook).flatMap((other) => conflictsBetween(runbook, other));
    // A repeated id would replace the first document, which later ones are still compared with.
    if (index.get(runbook.id) === undefined) index.add(runbook);
    return found;
  });
}

/** Errors of `runbook` that come from `other`: it has the same id, or a trigger of it can match an alert of the other. */
export function conflictsBetween(runbook: Runbook, other: Runbook): readonly Diagnostic[] {
  if (other.id === runbook.id) {
    return [
      {
        file: runbook.file,
        position: { line: 1, column: 1 },
        severity: "error",
        rule: "repeated-runbook",
        message: `${other.file} has the id \`${runbook.id}\` too.`,
        accepted: "a file name of its own",
      },
    ];
  }
  return runbook.triggers.flatMap((trigger): Diagnostic[] => {
    const rival = other.triggers.find((one) => canBothMatch(one, trigger));
    if (rival === undefined) return [];
    return [
      {
        file: runbook.file,
        position: trigger.position,
        severity: "error",
        rule: "ambiguous-trigger",
        message: `\`${trigger.source}\` and \`${rival.source}\` of ${other.file}:${rival.position.line} can match the same alert.`,
        accepted: 'triggers that differ in a label, e.g. one with `severity="critical"` and one with `severity!="critical"`',
      },
    ];
  });
}
