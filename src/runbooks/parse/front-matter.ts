import { z } from "zod";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { ParamSpec, Runbook, Trigger } from "../../../packages/sdk/src/wire/runbooks.ts";
import { durationGrammar, parseDuration } from "../../core/duration.ts";
import { isJsonObject } from "../../core/json.ts";
import { parseMatchers } from "../../core/parse-matchers.ts";
import { findPromqlFault } from "../expressions/find-promql-fault.ts";
import { hasTemplate } from "../expressions/template.ts";
import { checkTemplates } from "./action-call.ts";
import { alertFieldGrammar, readAlertField } from "./alert-field.ts";
import { type DurationSite, yamlDuration, yamlQuery } from "./duration-site.ts";
import { fitsType } from "./fits-type.ts";
import type { CodeText } from "./markdown.ts";
import { nearest, oneOf, type Reporter } from "./reporter.ts";
import { parseYamlBlock, type YamlBlock } from "./yaml-block.ts";

const duration = z
  .string()
  .refine((text) => (parseDuration(text) ?? 0) > 0, { message: `must be ${durationGrammar}, more than zero` })
  .meta({ format: "duration" });
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const name = z.string().regex(/^[a-z][a-z0-9_]{0,59}$/, { message: "must be a name of a-z, 0-9 and _, beginning with a letter" });

const param = z.strictObject({
  type: z.enum(["string", "number", "integer", "boolean", "duration"]).meta({ description: "Type of the value; required." }),
  from: z
    .string()
    .refine((text) => readAlertField(text) !== undefined, { message: `must be ${alertFieldGrammar}` })
    .meta({ description: "Label or annotation of the alert that the value is taken from." })
    .optional(),
  default: scalar.meta({ description: "Value when neither the starter nor the alert gives one." }).optional(),
  enum: z.array(scalar).min(1).max(100).meta({ description: "The accepted values." }).optional(),
  description: z.string().max(500).meta({ description: "Text for people." }).optional(),
});

/** The keys above a document; all optional. Its JSON Schema helps editors. */
export const runbookFrontMatterSchema = z.strictObject({
  triggers: z
    .array(z.string().min(1))
    .min(1)
    .max(50)
    .meta({ description: "Alerts that start it, in Alertmanager's matcher syntax; without it people start it." })
    .optional(),
  target: z
    .string()
    .min(1)
    .max(500)
    .meta({ description: "What a run locks and what cooldown counts; may hold ${{ }} over alert and params." })
    .optional(),
  params: z.record(name, param).meta({ description: "Typed inputs; a manual start fills the same form." }).optional(),
  mode: z
    .enum(["observe", "approve", "auto"])
    .meta({
      description:
        "How far a run goes: `observe` (default) plans only, `approve` asks before each change, `auto` asks where a step or a guardrail says so.",
    })
    .optional(),
  cooldown: duration
    .meta({
      description:
        "Time after a run in which the runbook starts none on the same target, or for the same alert when it has no target; 30m by default, doubled with each episode of a day.",
      format: "duration",
    })
    .optional(),
  timeout: duration
    .meta({ description: "Limit of the running time, 2h by default; waiting does not count.", format: "duration" })
    .optional(),
  on_resolved: z
    .enum(["finish", "undo"])
    .meta({ description: "What a run that has changed something does when its alert resolves; `finish` by default." })
    .optional(),
  on_joined: z
    .enum(["continue", "repeat"])
    .meta({
      description:
        "What an open run does when another alert of its target fires: it goes on, or does its first steps, which only look and lower, again.",
    })
    .optional(),
  track: z.record(name, z.string().min(1)).meta({ description: "Metrics sampled from start to end: name and PromQL." }).optional(),
  limits: z
    .record(name, z.number().nonnegative())
    .meta({ description: "Guardrail limits, only lower than the configured ones." })
    .optional(),
  owner: z.string().min(1).max(200).meta({ description: "Who looks after the runbook; text." }).optional(),
  tags: z.array(z.string().min(1).max(60)).max(50).meta({ description: "Words to find the runbook by." }).optional(),
});

type FrontMatter = z.output<typeof runbookFrontMatterSchema>;

/** What the front matter gives a runbook; defaults where it says nothing. */
export type FrontMatterFields = Pick<
  Runbook,
  "triggers" | "target" | "params" | "mode" | "cooldownMs" | "timeoutMs" | "onResolved" | "onJoined" | "track" | "limits" | "owner" | "tags"
>;

/** The fields, and whether names of params and track are known; they are not when the front matter could not be read. */
export interface FrontMatterReading {
  readonly fields: FrontMatterFields;
  readonly isReadable: boolean;
}

const defaultCooldownMs = 1_800_000;
const defaultTimeoutMs = 7_200_000;

/** Reads and proves a front matter; faults are reported and answered with defaults, so that the rest is checked in the same go. */
export function readFrontMatter(code: CodeText, reporter: Reporter, durations: DurationSite[]): FrontMatterReading {
  const isEmpty = code.text.trim() === "";
  const block = isEmpty ? undefined : parseYamlBlock(code.text, code.toOffset, reporter);
  if (block === undefined || block.value === null) {
    return { fields: fieldsOf({}, { block: undefined, isReadable: true }, reporter), isReadable: isEmpty || block !== undefined };
  }
  const parsed = runbookFrontMatterSchema.safeParse(block.value);
  for (const issue of parsed.error?.issues ?? []) reportIssue(issue, block, reporter);
  const data = parsed.success ? parsed.data : salvage(block.value);
  collectDurations(data, block, durations);
  const isReadable = parsed.success || !isBroken(parsed.error, ["params", "track"]);
  return { fields: fieldsOf(data, { block, isReadable }, reporter), isReadable };
}

function collectDurations(data: FrontMatter, block: YamlBlock, durations: DurationSite[]): void {
  for (const key of ["cooldown", "timeout"] as const) {
    const value = data[key];
    if (value !== undefined) durations.push(...yamlDuration(value, block, [key]));
  }
  for (const [metric, query] of Object.entries(data.track ?? {})) durations.push(...yamlQuery(query, block, ["track", metric]));
  for (const [key, { type, default: value, enum: values = [] }] of Object.entries(data.params ?? {})) {
    if (type !== "duration") continue;
    if (typeof value === "string") durations.push(...yamlDuration(value, block, ["params", key, "default"]));
    for (const [index, one] of values.entries()) {
      if (typeof one === "string") durations.push(...yamlDuration(one, block, ["params", key, "enum", index]));
    }
  }
}

function isBroken(error: z.ZodError, keys: readonly string[]): boolean {
  return error.issues.some((issue) =>
    issue.path.length === 0 ? issue.code !== "unrecognized_keys" : keys.includes(String(issue.path[0])),
  );
}

/** The keys that are right by themselves, so that one wrong key does not make every use of a parameter wrong too. */
function salvage(value: Json): FrontMatter {
  if (!isJsonObject(value)) return {};
  const validFields = Object.entries(value).filter(([key, field]) => runbookFrontMatterSchema.safeParse({ [key]: field }).success);
  return runbookFrontMatterSchema.safeParse(Object.fromEntries(validFields)).data ?? {};
}

function reportIssue(issue: z.core.$ZodIssue, block: YamlBlock, reporter: Reporter): void {
  const path = issue.path.filter((part) => typeof part !== "symbol");
  const where = path.join(".");
  if (issue.code === "unrecognized_keys") {
    const acceptedKeys = where === "" ? Object.keys(runbookFrontMatterSchema.shape) : Object.keys(param.shape);
    for (const key of issue.keys) {
      const meant = nearest(key, acceptedKeys);
      reporter.error({
        rule: "front-matter",
        at: block.keyOffsetOf([...path, key]),
        message: `Unknown key \`${[...path, key].join(".")}\`.`,
        accepted: meant === undefined ? oneOf(acceptedKeys) : `\`${meant}\`, or another of ${oneOf(acceptedKeys)}`,
      });
    }
    return;
  }
  if (issue.code === "invalid_key") {
    reporter.error({
      rule: "front-matter",
      at: block.keyOffsetOf(path),
      message: `\`${where}\` is no name.`,
      accepted: "a name of a-z, 0-9 and _, beginning with a letter",
    });
    return;
  }
  const written = JSON.stringify(valueAt(block.value, path))?.slice(0, 60) ?? "missing";
  const message = issue.path.length === 0 ? "The front matter is no map." : `\`${where}\` cannot be ${written}.`;
  reporter.error({ rule: "front-matter", at: block.offsetOf(path), message, accepted: acceptedBy(issue) });
}

function valueAt(value: Json, path: readonly (string | number)[]): Json | undefined {
  const [key, ...remaining] = path;
  if (key === undefined) return value;
  if (isJsonObject(value)) return Object.hasOwn(value, key) ? valueAt(value[key] ?? null, remaining) : undefined;
  if (!Array.isArray(value) || typeof key !== "number") return undefined;
  const items: readonly Json[] = value;
  return valueAt(items[key] ?? null, remaining);
}

const typeTexts: Readonly<Record<string, string>> = {
  string: "a text; put quotes around it",
  number: "a number",
  array: "a list",
  record: "a map",
  object: "a map of keys",
  boolean: "true or false",
};

function acceptedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") return oneOf(issue.values.map(String));
  if (issue.code === "invalid_type") return typeTexts[issue.expected] ?? issue.expected;
  if (issue.code === "invalid_union") return "a text, a number, true or false";
  return issue.message.replace(/^must be /u, "");
}

function fieldsOf(
  data: FrontMatter,
  { block, isReadable }: { readonly block: YamlBlock | undefined; readonly isReadable: boolean },
  reporter: Reporter,
): FrontMatterFields {
  const params = data.params ?? {};
  const track = data.track ?? {};
  if (block !== undefined) {
    checkParams(params, block, reporter);
    const names = { roots: ["alert", "params"] as const, params: isReadable ? Object.keys(params) : undefined };
    if (data.target !== undefined) checkTemplates(data.target, ["target"], { block, names, reporter });
    for (const [metric, query] of Object.entries(track)) {
      const fault = findPromqlFault(query, names);
      if (fault === undefined) continue;
      const path = ["track", metric];
      reporter.error({
        rule: fault.rule,
        at: block.insideOffsetOf(path, fault.offset, query.slice(fault.offset)),
        message: fault.message,
        accepted: fault.accepted,
      });
    }
  }
  return {
    triggers: block === undefined ? [] : writtenTriggers(block.value).flatMap((one) => readTrigger(one, block, reporter)),
    ...(data.target !== undefined && { target: data.target }),
    params: Object.fromEntries(Object.entries(params).map(([key, spec]) => [key, paramOf(spec)])),
    mode: data.mode ?? "observe",
    cooldownMs: parseDuration(data.cooldown ?? "") ?? defaultCooldownMs,
    timeoutMs: parseDuration(data.timeout ?? "") ?? defaultTimeoutMs,
    onResolved: data.on_resolved ?? "finish",
    ...(data.on_joined !== undefined && { onJoined: data.on_joined }),
    track,
    limits: data.limits ?? {},
    ...(data.owner !== undefined && { owner: data.owner }),
    tags: data.tags ?? [],
  };
}

/** Every trigger that is a text, also when others of the list are not. */
function writtenTriggers(value: Json): readonly { readonly source: string; readonly path: readonly (string | number)[] }[] {
  const triggers = isJsonObject(value) ? value["triggers"] : undefined;
  if (!Array.isArray(triggers)) return [];
  return triggers.flatMap((source: Json, index) =>
    typeof source === "string" && source !== "" ? [{ source, path: ["triggers", index] }] : [],
  );
}

function readTrigger(
  { source, path }: { readonly source: string; readonly path: readonly (string | number)[] },
  block: YamlBlock,
  reporter: Reporter,
): Trigger[] {
  if (hasTemplate(source)) {
    reporter.error({
      rule: "trigger",
      at: block.offsetOf(path),
      message: "A trigger holds no `${{ }}`.",
      accepted: 'an alert name, or `Name{label="value"}` in quotes',
    });
    return [];
  }
  const parsed = parseMatchers(source);
  if (parsed.ok) return [{ source, matchers: parsed.matchers, position: reporter.positionOf(block.offsetOf(path)) }];
  reporter.error({
    rule: "trigger",
    at: block.insideOffsetOf(path, parsed.offset, source.slice(parsed.offset)),
    message: parsed.message,
    accepted: parsed.accepted,
  });
  return [];
}

function paramOf(spec: z.output<typeof param>): ParamSpec {
  return {
    type: spec.type,
    ...(spec.from !== undefined && { from: spec.from }),
    ...(spec.default !== undefined && { default: spec.default }),
    ...(spec.enum !== undefined && { enum: spec.enum }),
    ...(spec.description !== undefined && { description: spec.description }),
  };
}

function checkParams(params: NonNullable<FrontMatter["params"]>, block: YamlBlock, reporter: Reporter): void {
  for (const [key, spec] of Object.entries(params)) {
    const values = [
      ...(spec.enum ?? []).map((value, index) => ({ value, path: ["enum", index] as (string | number)[] })),
      ...(spec.default === undefined ? [] : [{ value: spec.default, path: ["default"] }]),
    ];
    for (const { value, path } of values) {
      const isListed = path[0] !== "default" || spec.enum === undefined || spec.enum.includes(value);
      if (fitsType(spec.type, value) && isListed) continue;
      const problem = isListed ? `is no ${spec.type}` : "is not in `enum`";
      reporter.error({
        rule: "front-matter",
        at: block.offsetOf(["params", key, ...path]),
        message: `\`params.${key}.${path.join(".")}\` ${problem}.`,
        accepted: isListed ? acceptedType(spec.type) : (spec.enum ?? []).map((one) => JSON.stringify(one)).join(", "),
      });
    }
  }
}

function acceptedType(type: ParamSpec["type"]): string {
  const texts = {
    string: "a text; put quotes around it",
    duration: durationGrammar,
    boolean: "true or false",
    integer: "a whole number",
    number: "a number",
  };
  return texts[type];
}
