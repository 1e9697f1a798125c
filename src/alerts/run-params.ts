import type { Alert } from "../../packages/sdk/src/wire/alerts.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { ParamSpec, Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { readAlertField } from "../runbooks/parse/alert-field.ts";
import { fitsType } from "../runbooks/parse/fits-type.ts";

/** Typed inputs of a run, or one sentence per parameter that is missing or does not fit. */
export type RunParams =
  | { readonly ok: true; readonly params: { readonly [name: string]: Json } }
  | { readonly ok: false; readonly issues: readonly string[] };

type Specs = Runbook["params"];

/** Parameters of a run that an alert starts: from its labels and annotations, else the default. */
export function paramsFromAlert(specs: Specs, alert: Alert): RunParams {
  return collect(specs, (name, spec) => {
    const text = spec.from === undefined ? undefined : readFrom(spec.from, alert);
    if (text !== undefined) return readTyped(name, spec, text);
    if (spec.default !== undefined) return { ok: true, value: spec.default };
    return {
      ok: false,
      issue: spec.from === undefined ? `params.${name} has no value and no default` : `params.${name}: ${spec.from} is missing`,
    };
  });
}

/** Parameters of a run that a person starts: as given, else the default. A name that the runbook does not have is refused. */
export function paramsFromPerson(specs: Specs, given: { readonly [name: string]: Json }): RunParams {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(specs, name));
  const collected = collect(specs, (name, spec) => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value !== undefined) return typeof value === "string" ? readTyped(name, spec, value) : checkTyped(name, spec, value);
    if (spec.default !== undefined) return { ok: true, value: spec.default };
    return { ok: false, issue: `params.${name} is missing: ${acceptedBy(spec)} is expected` };
  });
  if (unknown.length === 0) return collected;
  const acceptedNames = Object.keys(specs).join(", ") || "none";
  const issues = unknown.map((name) => `params.${name} is unknown; this runbook has: ${acceptedNames}`);
  return { ok: false, issues: collected.ok ? issues : [...collected.issues, ...issues] };
}

type Read = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly issue: string };

function collect(specs: Specs, read: (name: string, spec: ParamSpec) => Read): RunParams {
  const params: [string, Json][] = [];
  const issues: string[] = [];
  for (const [name, spec] of Object.entries(specs)) {
    const one = read(name, spec);
    if (one.ok) params.push([name, one.value]);
    else issues.push(one.issue);
  }
  return issues.length === 0 ? { ok: true, params: Object.fromEntries(params) } : { ok: false, issues };
}

function readFrom(from: string, alert: Alert): string | undefined {
  const field = readAlertField(from);
  if (field === undefined) return undefined;
  const { kind, name } = field;
  const value = Object.hasOwn(alert[kind], name) ? alert[kind][name] : undefined;
  // A label with the empty value is a label that is not there, as in Prometheus.
  return value === "" ? undefined : value;
}

/** Text is read in one canonical form only: what two readers could read differently is refused. */
function readTyped(name: string, spec: ParamSpec, text: string): Read {
  switch (spec.type) {
    case "string":
    case "duration":
      return checkTyped(name, spec, text);
    case "boolean":
      return checkTyped(name, spec, text === "true" ? true : text === "false" ? false : text);
    case "integer":
    case "number":
      return checkTyped(name, spec, /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) && text !== "-0" ? Number(text) : text);
  }
}

function checkTyped(name: string, spec: ParamSpec, value: Json): Read {
  const isAllowed = spec.enum === undefined || spec.enum.includes(value);
  return isAllowed && fitsType(spec.type, value) ? { ok: true, value } : { ok: false, issue: `params.${name} is not ${acceptedBy(spec)}` };
}

const accepted: Readonly<Record<ParamSpec["type"], string>> = {
  string: "a text",
  number: "a finite decimal number",
  integer: "an integer",
  boolean: "true or false",
  duration: "a duration such as 90s or 10m",
};

function acceptedBy(spec: ParamSpec): string {
  return spec.enum === undefined ? accepted[spec.type] : `one of ${spec.enum.map((value) => JSON.stringify(value)).join(", ")}`;
}
