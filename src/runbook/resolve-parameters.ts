import type { ActionSpec } from "../core/action.ts";
import type { Json } from "../core/json.ts";
import { formatOf } from "./action-call.ts";
import { resolvePromql, resolveTemplates, type Scope } from "./expression.ts";

/** The parameters with every template replaced, or what is missing or wrong. */
export type ResolvedParameters =
  | { readonly ok: true; readonly value: { readonly [key: string]: Json } }
  | { readonly ok: false; readonly what: string };

/** Resolves the parameters of a call. A parameter that the action declares as PromQL is escaped as a query, so that a label cannot change what is asked. */
export function resolveParameters(
  parameters: { readonly [key: string]: Json },
  schema: ActionSpec["parameters"],
  scope: Scope,
): ResolvedParameters {
  const fields: [string, Json][] = [];
  for (const [key, value] of Object.entries(parameters)) {
    const parameter = Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
    if (typeof value === "string" && parameter !== undefined && formatOf(parameter) === "promql") {
      const resolved = resolvePromql(value, scope);
      if (!resolved.ok) return { ok: false, what: `${key}: ${resolved.what}` };
      fields.push([key, resolved.query]);
      continue;
    }
    const resolved = resolveTemplates(value, scope);
    if (!resolved.ok) return { ok: false, what: `${key}: ${resolved.what}` };
    fields.push([key, resolved.value]);
  }
  return { ok: true, value: Object.fromEntries(fields) };
}
