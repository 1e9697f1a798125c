import { z } from "zod";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { ActionCall } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { ActionCatalogue, ActionSpec } from "../../core/action.ts";
import { isJsonObject } from "../../core/json.ts";
import { type AllowedNames, checkExpression } from "../expressions/check-expression.ts";
import { findPromqlFault } from "../expressions/find-promql-fault.ts";
import { hasTemplate, splitTemplates } from "../expressions/template.ts";
import { urlTemplateFault, urlTemplateGrammar } from "../expressions/url-template.ts";
import { type DurationSite, yamlDuration, yamlQuery } from "./duration-site.ts";
import { type Code, codeText } from "./markdown.ts";
import { nearest, oneOf, type Reporter } from "./reporter.ts";
import { parseYamlBlock, type YamlBlock } from "./yaml-block.ts";

/** An action of the document and what the catalogue says about it. */
export interface BoundCall {
  readonly call: ActionCall;
  readonly spec: ActionSpec;
}

/** What proving a call needs. */
export interface CallContext {
  readonly text: string;
  readonly reporter: Reporter;
  readonly catalogue: ActionCatalogue;
  readonly names: AllowedNames;
  readonly durations: DurationSite[];
}

/** A call as written. */
export interface WrittenCall {
  readonly name: string;
  readonly at: number;
  readonly fence: Code | undefined;
}

/** Proves name and parameters of an action against the catalogue. Undefined when an error was reported. */
export function bindCall({ name, at, fence }: WrittenCall, context: CallContext): BoundCall | undefined {
  const { reporter, catalogue } = context;
  const spec = catalogue.find(name);
  if (spec === undefined) {
    const meant = nearest(name, catalogue.names);
    const accepted = meant === undefined ? `one of ${oneOf(catalogue.names)}` : `\`${meant}\`, or another of ${oneOf(catalogue.names)}`;
    reporter.error({ rule: "unknown-action", at, message: `There is no action \`${name}\`.`, accepted });
    // The fence is still read, so that its own faults are told in the same go.
    if (fence !== undefined) readFence(fence, context);
    return undefined;
  }
  const fenced = fence === undefined ? undefined : readFence(fence, context);
  if (fence !== undefined && fenced === undefined) return undefined;
  const block = fenced?.block;
  const parameters: Json = block?.value ?? {};
  if (!isJsonObject(parameters)) {
    reporter.error({
      rule: "parameters",
      at: block?.offsetOf([]) ?? at,
      message: "The parameters are no map.",
      accepted: "`name: value` lines",
    });
    return undefined;
  }
  const isProven = proveParameters({ spec, parameters }, { block, at }, reporter);
  if (block !== undefined) collectDurations({ spec, parameters }, block, context.durations);
  return isProven && fenced?.isProven !== false ? { call: { name, parameters, position: reporter.positionOf(at) }, spec } : undefined;
}

function collectDurations(
  { spec, parameters }: { readonly spec: ActionSpec; readonly parameters: { readonly [key: string]: Json } },
  block: YamlBlock,
  durations: DurationSite[],
): void {
  for (const [key, value] of Object.entries(parameters)) {
    const schema = Object.hasOwn(spec.parameters.shape, key) ? spec.parameters.shape[key] : undefined;
    const format = schema === undefined ? undefined : formatOf(schema);
    const items = Array.isArray(value) ? value.map((item: Json, index) => ({ item, path: [key, index] })) : [{ item: value, path: [key] }];
    for (const { item, path } of items) {
      if (typeof item !== "string") continue;
      if (format === "duration") durations.push(...yamlDuration(item, block, path));
      if (format === "promql") durations.push(...yamlQuery(item, block, path));
    }
  }
}

function readFence(fence: Code, context: CallContext): { readonly block: YamlBlock; readonly isProven: boolean } | undefined {
  const code = codeText(context.text, fence);
  const block = parseYamlBlock(code.text, code.toOffset, context.reporter);
  return block && { block, isProven: checkTemplates(block.value, [], { block, names: context.names, reporter: context.reporter }) };
}

/** What the templates of a block are checked against. */
export interface TemplateContext {
  readonly block: YamlBlock;
  readonly names: AllowedNames;
  readonly reporter: Reporter;
}

/** Proves syntax and names of every template in the data; false when an error was reported. */
export function checkTemplates(value: Json, path: readonly (string | number)[], { block, names, reporter }: TemplateContext): boolean {
  if (typeof value === "string") return checkTemplateText(value, path, { block, names, reporter });
  if (value === null || typeof value !== "object") return true;
  const entries: readonly (readonly [string | number, Json])[] = isJsonObject(value)
    ? Object.entries(value)
    : value.map((item, index) => [index, item] as const);
  const results = entries.map(([key, item]) => checkTemplates(item, [...path, key], { block, names, reporter }));
  return results.every(Boolean);
}

function checkTemplateText(value: string, path: readonly (string | number)[], { block, names, reporter }: TemplateContext): boolean {
  const split = splitTemplates(value);
  if (!split.ok) {
    reporter.error({
      rule: "template",
      at: block.offsetOf(path),
      message: split.message,
      accepted: 'a balanced `${{ }}`; put quotes around the whole value, e.g. `"${{ params.name }}"`',
    });
    return false;
  }
  let isProven = true;
  for (const part of split.parts) {
    if (part.kind === "text") continue;
    const checked = checkExpression(part.source, names);
    if (checked.ok) continue;
    isProven = false;
    const at = block.insideOffsetOf(path, part.sourceStart, part.source);
    const exact = at === block.offsetOf(path) ? 0 : checked.offset;
    reporter.error({ rule: "expression", at: at + exact, message: checked.message, accepted: checked.accepted });
  }
  return isProven;
}

function proveParameters(
  { spec, parameters }: { readonly spec: ActionSpec; readonly parameters: { readonly [key: string]: Json } },
  { block, at }: { readonly block: YamlBlock | undefined; readonly at: number },
  reporter: Reporter,
): boolean {
  let isProven = true;
  const fail = (offset: number, message: string, accepted: string) => {
    isProven = false;
    reporter.error({ rule: "parameters", at: offset, message, accepted });
  };
  const shape = spec.parameters.shape as Readonly<Record<string, z.core.$ZodType>>;
  const names = Object.keys(shape);
  for (const key of Object.keys(parameters)) {
    if (Object.hasOwn(shape, key)) continue;
    const meant = nearest(key, names);
    const accepted = meant === undefined ? oneOf(names) || "no parameters" : `\`${meant}\`, or another of ${oneOf(names)}`;
    fail(block?.keyOffsetOf([key]) ?? at, `\`${spec.name}\` has no parameter \`${key}\`.`, accepted);
  }
  for (const [key, schema] of Object.entries(shape)) {
    if (Object.hasOwn(parameters, key)) {
      for (const issue of faultsOf(key, parameters[key] ?? null, schema)) {
        fail(
          block?.offsetOf([key, ...issue.path]) ?? at,
          `\`${[key, ...issue.path].join(".")}\` of \`${spec.name}\`: ${issue.message}.`,
          describe(schema),
        );
      }
    } else if (!z.safeParse(z.object({ [key]: schema }), {}).success) {
      fail(at, `\`${spec.name}\` needs the parameter \`${key}\`.`, `\`${key}:\` in a \`yaml\` fence below; ${describe(schema)}`);
    }
  }
  if (isProven && !containsTemplate(parameters)) {
    const whole = spec.parameters.safeParse(parameters);
    for (const issue of whole.error?.issues ?? []) {
      fail(
        block?.offsetOf(issue.path.filter((part) => typeof part !== "symbol")) ?? at,
        `\`${spec.name}\`: ${issue.message}.`,
        "parameters that fit together",
      );
    }
  }
  if (isProven && block !== undefined) {
    for (const [key, value] of Object.entries(parameters)) {
      const schema = shape[key];
      if (schema === undefined) continue;
      const urlFault = formatOf(schema) === "url" && typeof value === "string" ? urlTemplateFault(value) : undefined;
      if (urlFault !== undefined) fail(block.offsetOf([key]), `\`${key}\` of \`${spec.name}\`: ${urlFault}.`, urlTemplateGrammar);
      if (formatOf(schema) !== "promql") continue;
      for (const query of [value].flat()) {
        const fault = typeof query === "string" ? findPromqlFault(query) : undefined;
        if (fault !== undefined) fail(block.offsetOf([key]), fault.message, fault.accepted);
      }
    }
  }
  return isProven;
}

interface ParameterFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Values that hold a template are proven when the run resolves them. */
function faultsOf(key: string, value: Json, schema: z.core.$ZodType): readonly ParameterFault[] {
  if (containsTemplate(value)) return [];
  const parsed = z.safeParse(schema, value);
  return (parsed.error?.issues ?? []).map((issue) => ({
    path: issue.path.filter((part) => typeof part !== "symbol"),
    message: issue.message.replace(/\.$/u, "") || `${key} does not fit`,
  }));
}

/** Whether a value, or anything in it, holds a template. */
export function containsTemplate(value: Json): boolean {
  if (typeof value === "string") return hasTemplate(value);
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some((item) => containsTemplate(item));
}

/** `format` of a parameter's metadata, looked up below optional and default. */
export function formatOf(schema: z.core.$ZodType): string | undefined {
  const format = z.globalRegistry.get(schema)?.["format"];
  if (typeof format === "string") return format;
  const inner = innerOf(schema);
  return inner === undefined ? undefined : formatOf(inner);
}

function innerOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable ? schema.unwrap() : undefined;
}

function describe(schema: z.core.$ZodType): string {
  const description = descriptionOf(schema);
  return description === undefined ? typeText(schema) : `${typeText(schema)}: ${description.replace(/\.$/u, "")}`;
}

function descriptionOf(schema: z.core.$ZodType): string | undefined {
  const inner = innerOf(schema);
  return z.globalRegistry.get(schema)?.description ?? (inner === undefined ? undefined : descriptionOf(inner));
}

function typeText(schema: z.core.$ZodType): string {
  const inner = innerOf(schema);
  if (inner !== undefined) return typeText(inner);
  if (formatOf(schema) === "duration") return "a duration such as 90s or 10m";
  if (schema instanceof z.ZodEnum) return oneOf(schema.options.map(String));
  if (schema instanceof z.ZodString) return "a text; put quotes around it";
  if (schema instanceof z.ZodNumber) return "a number";
  if (schema instanceof z.ZodBoolean) return "true or false";
  if (schema instanceof z.ZodArray) return "a list";
  return schema instanceof z.ZodRecord || schema instanceof z.ZodObject ? "a map" : "a value that fits";
}

/** Offset of the first character inside the backticks of an inline code. */
export function insideCode(text: string, node: { readonly value: string }, start: number): number {
  const offset = text.indexOf(node.value.split("\n")[0] ?? "", start);
  return offset === -1 ? start : offset;
}
