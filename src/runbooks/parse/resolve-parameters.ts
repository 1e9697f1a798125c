import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { ActionSpec } from "../../core/action.ts";
import { resolvePromql, resolveTemplates, resolveUrl, type Scope } from "../expressions/expression.ts";
import { formatOf } from "./action-call.ts";

/** The parameters with every template replaced, or what is missing or wrong. */
export type ResolvedParameters =
  | { readonly ok: true; readonly value: { readonly [key: string]: Json } }
  | { readonly ok: false; readonly what: string };

/**
 * Resolves the parameters of a call. A parameter whose schema says `format: "promql"` (a query or a list of them) is escaped as a query, and one
 * with `format: "url"` is encoded as a URL, so that a label can never change what is asked, or whom.
 */
export function resolveParameters(
  parameters: { readonly [key: string]: Json },
  schema: ActionSpec["parameters"],
  scope: Scope,
): ResolvedParameters {
  const fields: [string, Json][] = [];
  for (const [key, value] of Object.entries(parameters)) {
    const parameter = Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
    const resolved = resolveParameter(value, parameter === undefined ? undefined : formatOf(parameter), scope);
    if (!resolved.ok) return { ok: false, what: `${key}: ${resolved.what}` };
    fields.push([key, resolved.value]);
  }
  return { ok: true, value: Object.fromEntries(fields) };
}

function resolveParameter(value: Json, format: string | undefined, scope: Scope): ReturnType<typeof resolveTemplates> {
  if (format === "promql") return resolveQueries(value, scope);
  return format === "url" && typeof value === "string" ? resolveUrl(value, scope) : resolveTemplates(value, scope);
}

function resolveQueries(value: Json, scope: Scope): ReturnType<typeof resolveTemplates> {
  if (typeof value === "string") {
    const resolved = resolvePromql(value, scope);
    return resolved.ok ? { ok: true, value: resolved.query } : resolved;
  }
  if (!Array.isArray(value)) return resolveTemplates(value, scope);
  const queries: Json[] = [];
  for (const item of value as readonly Json[]) {
    const resolved = resolveQueries(item, scope);
    if (!resolved.ok) return resolved;
    queries.push(resolved.value);
  }
  return { ok: true, value: queries };
}
