import type { FailurePolicy, Runbook, Step } from "../../packages/sdk/src/wire/runbooks.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import { judgeRehearsal } from "./judge-rehearsal.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { stepIdOf } from "./step-names.ts";

/** One change that a rehearsal should notice. */
export interface Mutation {
  readonly kind: "drop Prerequisite" | "drop step" | "drop Expected" | "drop When" | "drop Approval" | "continue after failure";
  /** Id of the step, or `prerequisite_` and its number. */
  readonly step: string;
  readonly runbook: Runbook;
}

/** A mutation and the rehearsal that noticed it; a survivor has none. */
export interface MutationResult {
  readonly kind: Mutation["kind"];
  readonly step: string;
  /** Name of the first rehearsal that fails. */
  readonly noticedBy?: string;
}

/** Every mutation of a runbook's prerequisites that are checked and of its steps, in their order. The numbers of the other steps stay. */
export function mutationsOf(runbook: Runbook): readonly Mutation[] {
  const prerequisites = runbook.prerequisites.flatMap((item, index): readonly Mutation[] => {
    if (item.check === undefined) return [];
    const without = { ...runbook, prerequisites: runbook.prerequisites.filter((one) => one !== item) };
    return [{ kind: "drop Prerequisite", step: `prerequisite_${index + 1}`, runbook: without }];
  });
  return [...prerequisites, ...stepMutationsOf(runbook)];
}

function stepMutationsOf(runbook: Runbook): readonly Mutation[] {
  return runbook.steps.flatMap((step) => {
    const replaced = (change: Step | undefined): Runbook => ({
      ...runbook,
      steps: runbook.steps.flatMap((one) => (one === step ? (change ?? []) : one)),
    });
    const { expected, when, approval, ...bare } = step;
    const stepFields = {
      ...bare,
      ...(expected !== undefined && { expected }),
      ...(when !== undefined && { when }),
      ...(approval !== undefined && { approval }),
    };
    const without = (name: "expected" | "when" | "approval"): Runbook => {
      const { [name]: _dropped, ...remainingFields } = stepFields;
      return replaced(remainingFields);
    };
    const isLenient = step.onFailure.then.kind === "continue" || step.action === undefined;
    const lenient: FailurePolicy = { ...step.onFailure, then: { kind: "continue" } };
    const of = (kind: Mutation["kind"], mutant: Runbook): Mutation => ({ kind, step: step.id, runbook: mutant });
    return [
      of("drop step", replaced(undefined)),
      ...(expected === undefined ? [] : [of("drop Expected", without("expected"))]),
      ...(when === undefined ? [] : [of("drop When", without("when"))]),
      ...(approval === undefined ? [] : [of("drop Approval", without("approval"))]),
      ...(isLenient ? [] : [of("continue after failure", replaced({ ...step, onFailure: lenient }))]),
    ];
  });
}

/** Demands that some rehearsal fails for every mutation. That a step which changes something is gone must show in what happens: that a rehearsal names it is not enough. */
export async function mutateRunbook(runbook: Runbook, rehearsals: readonly Rehearsal[]): Promise<readonly MutationResult[]> {
  const results: MutationResult[] = [];
  for (const mutation of mutationsOf(runbook)) {
    let noticedBy: string | undefined;
    const blind = mutation.kind === "drop step" && changesSomething(runbook, mutation.step);
    for (const rehearsal of blind ? rehearsals.map((one) => withoutName(runbook, one, mutation.step)) : rehearsals) {
      const { differences } = await judgeRehearsal(mutation.runbook, rehearsal);
      if (differences.length === 0) continue;
      noticedBy = rehearsal.name;
      break;
    }
    results.push({ kind: mutation.kind, step: mutation.step, ...(noticedBy !== undefined && { noticedBy }) });
  }
  return results;
}

/** Whether the step's action has an effect on what is cared for. */
export function changesSomething(runbook: Runbook, stepId: string): boolean {
  const call = runbook.steps.find(({ id }) => id === stepId)?.action;
  const spec = call === undefined ? undefined : actionCatalogue.find(call.name);
  return spec !== undefined && call !== undefined && spec.effectOf(call.parameters) !== "read";
}

function withoutName(runbook: Runbook, rehearsal: Rehearsal, stepId: string): Rehearsal {
  const other = (name: string) => stepIdOf(runbook, name) !== stepId;
  const { expect } = rehearsal;
  return {
    ...rehearsal,
    faults: rehearsal.faults.filter((fault) => !("step" in fault) || other(fault.step)),
    expect: { ...expect, steps: Object.fromEntries(Object.entries(expect.steps).filter(([name]) => other(name))) },
  };
}
