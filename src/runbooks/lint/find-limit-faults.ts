import type { Diagnostic, Runbook, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { ActionCatalogue } from "../../core/action.ts";
import { kindOfTarget } from "../../core/canonical-target.ts";
import { limitsOf } from "../../core/limits.ts";

/** What a document is measured against: the actions, and the configured limits by name. */
export interface LimitContext {
  readonly catalogue: ActionCatalogue;
  readonly limits: { readonly [limit: string]: number };
}

/**
 * Steps that a run of this document reaches and that its limits then refuse: it would stop half way. Only steps that are always run are counted,
 * each target once, and kinds apart, as the guardrail `blast-radius` counts them.
 */
export function findLimitFaults(runbook: Runbook, { catalogue, limits }: LimitContext): readonly Diagnostic[] {
  const permitted = limitsOf(limits, runbook.limits).targets_per_run;
  const raised = new Map<string, { readonly targets: Set<string>; readonly steps: Set<number> }>();
  const faults: Diagnostic[] = [];
  for (const step of runbook.steps) {
    const kinds = new Set<string>();
    for (const target of targetsOf(step, catalogue)) {
      const kind = kindOfTarget(target) ?? "";
      const { targets, steps } = raised.get(kind) ?? { targets: new Set(), steps: new Set() };
      if (!targets.has(target)) kinds.add(kind);
      targets.add(target);
      steps.add(step.number);
      raised.set(kind, { targets, steps });
    }
    for (const kind of kinds) {
      const count = raised.get(kind)?.targets.size ?? 0;
      if (count <= permitted) continue;
      const named = `${count} ${count === 1 ? "target" : "targets"}${kind === "" ? "" : ` of kind \`${kind}\``}`;
      const steps = [...(raised.get(kind)?.steps ?? [])];
      faults.push({
        file: runbook.file,
        position: step.position,
        severity: "warning",
        rule: "limits",
        message: `${stepsText(steps)} ${named}, and \`targets_per_run\` permits ${permitted}: the run is refused at step ${step.number}.`,
        accepted: "a higher `targets_per_run` under `guardrails` in runbookd.yml, or a runbook for each target",
      });
    }
  }
  return faults;
}

function targetsOf({ action, when }: Step, catalogue: ActionCatalogue): readonly string[] {
  if (action === undefined || when !== undefined) return [];
  return catalogue.find(action.name)?.targetsOf?.(action.parameters) ?? [];
}

function stepsText(steps: readonly number[]): string {
  const [last, ...others] = steps.toReversed();
  if (others.length === 0) return `Step ${String(last)} raises`;
  return `Steps ${others.toReversed().join(", ")} and ${String(last)} raise`;
}
