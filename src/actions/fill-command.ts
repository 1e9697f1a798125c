import { isAbsolute } from "node:path";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import { type ArgumentType, type CommandTemplate, maxCommand, placeholderPattern } from "../core/command-template.ts";
import { readPattern } from "../core/linear-pattern.ts";

/** A command as it will be started. */
export interface FilledCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly target: string;
}

/** The proven texts of all arguments, or every reason why not. Paths are still relative: their real place is looked up by the runner. */
export type ProvenArguments =
  | { readonly ok: true; readonly texts: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly issues: readonly string[] };

type Values = { readonly [name: string]: Json };

const maxValue = 1000;

/** How arguments are validated. */
export interface ArgumentRules {
  /** What the values are called in an issue, e.g. "Argument". */
  readonly what: string;
  readonly types: Readonly<Record<string, ArgumentType>>;
  /** Whether values may be missing; default: they may not. */
  readonly partial?: boolean;
}

/** Validates values against types: nothing missing, nothing unknown, every value exactly what its type names. */
export function proveArguments(values: Values, { what, types, partial = false }: ArgumentRules): ProvenArguments {
  const issues = Object.keys(values).flatMap((name) => (Object.hasOwn(types, name) ? [] : [`${what} ${name} is not registered`]));
  const texts: [string, string][] = [];
  for (const [name, type] of Object.entries(types)) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) {
      if (!partial) issues.push(`${what} ${name} is missing`);
      continue;
    }
    const text = textOf(value, type);
    if (text === undefined) issues.push(`${what} ${name} must be ${describeType(type)}`);
    else texts.push([name, text]);
  }
  return issues.length === 0 ? { ok: true, texts: Object.fromEntries(texts) } : { ok: false, issues };
}

/** What a type accepts, as the end of a sentence. */
export function describeType(type: ArgumentType): string {
  switch (type.kind) {
    case "enum":
      return `one of ${type.values.join(", ")}`;
    case "integer":
      return `a whole number from ${type.min} to ${type.max}`;
    case "pattern":
      return `a text that fits ${type.pattern}${type.leadingDash ? "" : " and does not begin with a dash"}`;
    case "path":
      return `a relative path below ${type.root}`;
  }
}

/** The text of a value that fits its type exactly, or undefined. */
function textOf(value: Json, type: ArgumentType): string | undefined {
  if (type.kind === "integer") return integerText(value, type);
  if (typeof value !== "string" || value.length > maxValue || !isPlain(value)) return undefined;
  switch (type.kind) {
    case "enum":
      return type.values.includes(value) ? value : undefined;
    case "pattern":
      if (value.startsWith("-") && !type.leadingDash) return undefined;
      return fitsPattern(value, type.pattern) ? value : undefined;
    case "path": {
      const isBelow = !isAbsolute(value) && !value.startsWith("-") && !value.split("/").some((part) => part === ".." || part === "");
      return isBelow && !value.includes("\\") && !value.includes(":") ? value : undefined;
    }
  }
}

function fitsPattern(value: string, source: string): boolean {
  const reading = readPattern(source);
  return reading.ok && reading.pattern.test(value) === true;
}

/** Canonical decimal only: what a person reads is what the command is given. */
function integerText(value: Json, { min, max }: { readonly min: number; readonly max: number }): string | undefined {
  const text = typeof value === "number" ? (Object.is(value, -0) ? "-0" : String(value)) : value;
  if (typeof text !== "string" || !/^(?:0|-?[1-9]\d{0,15})$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) && number >= min && number <= max ? text : undefined;
}

/** Not empty, no wildcard alone, and nothing that a reader of the plan cannot see. */
function isPlain(value: string): boolean {
  return value !== "" && !/^[.*%?]*[*%?][.*%?]*$/.test(value) && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(value);
}

/** With what a template is filled. */
export interface CommandValues {
  /** The template's own arguments, or those of its probe. */
  readonly argv: readonly string[];
  /** Values of the placeholders. */
  readonly texts: Readonly<Record<string, string>>;
  /** Variables of the environment that are added to the template's. */
  readonly openEnv: Readonly<Record<string, string>>;
}

/** Replaces placeholders, once: a value that looks like a placeholder is text. Undefined when the whole would be too long. */
export function fillCommand(template: CommandTemplate, { argv, texts, openEnv }: CommandValues): FilledCommand | undefined {
  const fill = (text: string) =>
    text.replaceAll(placeholderPattern, (whole, name: string | undefined) =>
      name === undefined ? whole.slice(0, 1) : (texts[name] ?? whole),
    );
  const filled: FilledCommand = {
    argv: argv.map(fill),
    env: {
      ...Object.fromEntries(Object.entries(template.env).map(([name, text]) => [name, fill(text)])),
      ...openEnv,
    },
    target: fill(template.target),
  };
  const bytes = Buffer.byteLength([...filled.argv, ...Object.entries(filled.env).flat()].join("\0"));
  return bytes > maxCommand ? undefined : filled;
}
