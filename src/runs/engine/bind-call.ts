import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { ActionCall } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { BoundAction } from "../../core/action.ts";
import { resolveParameters } from "../../runbooks/parse/resolve-parameters.ts";
import type { ActiveRun } from "./active-run.ts";
import { scopeOf } from "./scope.ts";

/** A call with its templates resolved and its parameters validated, or why that failed. */
export type Bound = { readonly ok: true; readonly action: BoundAction } | { readonly ok: false; readonly failure: Failure };

/** Resolves a call's templates against the run as it is and validates its parameters. `result`: what `result` means in its templates. */
export function bindCall(call: ActionCall, { writer, deps }: ActiveRun, result?: Json): Bound {
  const action = deps.actions.find(call.name);
  if (action === undefined) return invalid(`There is no action \`${call.name}\` in this version.`);
  const resolved = resolveParameters(call.parameters, action.parameters, scopeOf(writer.view, result));
  if (!resolved.ok)
    return {
      ok: false,
      failure: { reason: "expression_error", message: `Parameters of \`${call.name}\`: ${resolved.what}.`, applied: "no" },
    };
  const bound = action.bind(resolved.value);
  return bound.ok ? bound : invalid(`Parameters of \`${call.name}\`: ${bound.issues.join("; ")}.`);
}

function invalid(message: string): Bound {
  return { ok: false, failure: { reason: "invalid_parameters", message, applied: "no" } };
}
