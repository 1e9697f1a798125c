import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { evaluate, truthOf } from "../../runbooks/expressions/expression.ts";
import type { RunView } from "./run-view.ts";
import { scopeOf } from "./scope.ts";

/** Whether the document asks for a permission of this step now. */
export function wantsPermission(step: Step, view: RunView): step is Step & { readonly approval: NonNullable<Step["approval"]> } {
  const { approval } = step;
  if (approval === undefined) return false;
  // Only a certain "true" lifts the need: what cannot be seen is asked.
  return approval.unless === undefined || truthOf(evaluate(approval.unless.source, scopeOf(view))) !== "true";
}
