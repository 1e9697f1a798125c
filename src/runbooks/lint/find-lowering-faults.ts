import type { Diagnostic, Runbook, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { ActionCatalogue } from "../../core/action.ts";
import { checkExpression } from "../expressions/check-expression.ts";

/**
 * Places where a document may leave undone what lowers risk or spend, or promises to take it back: a step that lowers and is skipped
 * when an earlier step left no result, and an undo behind or on a step that lowers, which an undo always keeps. All are warnings.
 */
export function findLoweringFaults(runbook: Runbook, catalogue: ActionCatalogue): readonly Diagnostic[] {
  const lowers = ({ action }: Step) => {
    const spec = action === undefined ? undefined : catalogue.find(action.name);
    if (spec === undefined || action === undefined || spec.effectOf(action.parameters) === "read") return false;
    return (spec.riskOf?.(action.parameters) ?? spec.risk) === "lowers";
  };
  const lowering = runbook.steps.filter(lowers);
  return [
    ...lowering.flatMap((step) => findSkippable(step, runbook)),
    ...runbook.steps.flatMap((step) => findKept(step, lowering, runbook)),
    ...lowering.flatMap((step) => findUselessUndo(step, runbook)),
    ...findKeptAtEnd(lowering, runbook),
  ];
}

function findSkippable({ number, when }: Step, { file, steps }: Runbook): readonly Diagnostic[] {
  if (when === undefined) return [];
  const checked = checkExpression(when.source, undefined);
  const read = steps.filter(({ id }) => checked.ok && checked.steps.includes(id));
  return read.flatMap((step): Diagnostic[] => {
    const why = whyWithoutResult(step, number, steps);
    if (why === undefined) return [];
    return [
      {
        file,
        position: when.position,
        severity: "warning",
        rule: "lowering-may-be-skipped",
        message: `Step ${number} lowers, and its When reads step ${step.number}, which ${why}: then it has no result, and step ${number} is skipped.`,
        accepted: "no When here, and an action that decides for itself and lowers when it cannot see",
      },
    ];
  });
}

/** How the run can reach step `number` while this earlier step has no result; undefined when it cannot. */
function whyWithoutResult(
  { number: earlier, action, when, onFailure: { then } }: Step,
  number: number,
  steps: readonly Step[],
): string | undefined {
  const numberOf = (id: string) => steps.find((step) => step.id === id)?.number ?? Number.POSITIVE_INFINITY;
  if (action === undefined) return "a person does";
  if (when !== undefined) return "may be skipped";
  if (then.kind === "continue") return "may fail and let the run continue";
  if (then.kind === "ask") return "may fail and be skipped by a person";
  if (then.kind === "go_to" && numberOf(then.step) <= number) return "may fail and let the run go on";
  const jump = steps.find(({ number: from, onFailure }) => {
    if (onFailure.then.kind !== "go_to" || from >= earlier) return false;
    const to = numberOf(onFailure.then.step);
    return to > earlier && to <= number;
  });
  return jump === undefined ? undefined : `may be jumped over by step ${jump.number}`;
}

function findKept(step: Step, lowering: readonly Step[], { file }: Runbook): readonly Diagnostic[] {
  if (step.onFailure.then.kind !== "undo") return [];
  const kept = lowering.filter(({ number }) => number <= step.number).map(({ number }) => number);
  if (kept.length === 0) return [];
  const message = `Step ${step.number} may undo the run, and ${lowersText(kept)}: an undo keeps what lowers.`;
  return [{ file, position: step.position, severity: "warning", rule: "undo-keeps-lowering", message, accepted: "`ask` or `stop`" }];
}

function findUselessUndo({ number, undo }: Step, { file }: Runbook): readonly Diagnostic[] {
  if (undo === undefined) return [];
  const message = `Step ${number} lowers, and an undo keeps what lowers: its Undo is never done.`;
  return [{ file, position: undo.position, severity: "warning", rule: "undo-keeps-lowering", message, accepted: "no Undo here" }];
}

function findKeptAtEnd(lowering: readonly Step[], { file, onResolved }: Runbook): readonly Diagnostic[] {
  if (onResolved !== "undo" || lowering.length === 0) return [];
  const message = `\`on_resolved: undo\` undoes the run, and ${lowersText(lowering.map(({ number }) => number))}: an undo keeps what lowers.`;
  const position = { line: 1, column: 1 };
  return [{ file, position, severity: "warning", rule: "undo-keeps-lowering", message, accepted: "`on_resolved: finish`" }];
}

function lowersText(numbers: readonly number[]): string {
  const [last, ...others] = numbers.toReversed();
  return others.length === 0 ? `step ${String(last)} lowers` : `steps ${others.toReversed().join(", ")} and ${String(last)} lower`;
}
