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
 * Steps that a run of this document reaches and that its limits then refuse: it would stop half way. Each target counts once, and kinds apart, as the
 * guardrail `blast-radius` counts them. Steps with a `When` may be skipped: where only they bring a run over the limit, it is said that they may count.
 */
export function findLimitFaults(runbook: Runbook, { catalogue, limits }: LimitContext): readonly Diagnostic[] {
  const permitted = limitsOf(limits, runbook.limits).targets_per_run;
  const certain = new Map<string, Set<string>>();
  const raised = new Map<string, Raised>();
  const faults: Diagnostic[] = [];
  for (const step of runbook.steps) {
    const kinds = new Set<string>();
    for (const target of targetsOf(step, catalogue)) {
      const kind = kindOfTarget(target) ?? "";
      const { targets, steps, skippable } = raised.get(kind) ?? { targets: new Set(), steps: new Set(), skippable: new Set() };
      const always = certain.get(kind) ?? new Set();
      if (!targets.has(target) || (step.when === undefined && !always.has(target))) kinds.add(kind);
      targets.add(target);
      steps.add(step.number);
      if (step.when === undefined) always.add(target);
      else skippable.add(step.number);
      raised.set(kind, { targets, steps, skippable });
      certain.set(kind, always);
    }
    for (const kind of kinds) {
      const all = raised.get(kind);
      if (all === undefined || all.targets.size <= permitted) continue;
      const isCertain = step.when === undefined && (certain.get(kind)?.size ?? 0) > permitted;
      faults.push({
        file: runbook.file,
        position: step.position,
        severity: "warning",
        rule: "limits",
        message: messageOf({ kind, all, step: step.number, permitted, isCertain }),
        accepted: "a higher `targets_per_run` under `guardrails` in runbookd.yml, or a runbook for each target",
      });
    }
  }
  return faults;
}

/** What the steps up to one raise; `skippable`: the steps among them that have a `When`. */
interface Raised {
  readonly targets: Set<string>;
  readonly steps: Set<number>;
  readonly skippable: Set<number>;
}

interface Excess {
  readonly kind: string;
  readonly all: Raised;
  readonly step: number;
  readonly permitted: number;
  /** Also when every step with a `When` is skipped. */
  readonly isCertain: boolean;
}

function messageOf({ kind, all, step, permitted, isCertain }: Excess): string {
  const { targets, steps, skippable } = all;
  const named = `${targets.size} ${targets.size === 1 ? "target" : "targets"}${kind === "" ? "" : ` of kind \`${kind}\``}`;
  const permits = `and \`targets_per_run\` permits ${permitted}`;
  if (isCertain) return `${stepsText([...steps])} ${named}, ${permits}: the run is refused at step ${step}.`;
  const few = skippable.size === 1;
  const count = `${few ? "Step" : "Steps"} ${[...skippable].join(", ")} with ${few ? "a `When`" : "`When`"} may count`;
  return `${stepsText([...steps])} ${named}, ${permits}. ${count}: the run may be refused at step ${step}.`;
}

function targetsOf({ action }: Step, catalogue: ActionCatalogue): readonly string[] {
  if (action === undefined) return [];
  return catalogue.find(action.name)?.targetsOf?.(action.parameters) ?? [];
}

function stepsText(steps: readonly number[]): string {
  const [last, ...others] = steps.toReversed();
  if (others.length === 0) return `Step ${String(last)} raises`;
  return `Steps ${others.toReversed().join(", ")} and ${String(last)} raise`;
}
