import { z } from "zod";
import { commandFaults } from "../../core/command-faults.ts";
import type { ArgumentType, CommandTemplate } from "../../core/command-template.ts";
import { dayMs, durationGrammar, parseDuration } from "../../core/duration.ts";

const text = (max: number) =>
  z
    .string()
    .min(1, "is empty")
    .max(max)
    .refine((value) => !/\p{Cc}/u.test(value), "holds a control character");
const exits = z.array(z.number().int().min(0).max(255)).max(50);
const argv = z.array(text(1000)).min(1).max(100);
const argumentName = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, "must be an argument's name");
const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, "must be a variable's name");
const absolute = text(1000).refine((path) => path.startsWith("/"), "must be an absolute path");
const duration = z
  .string()
  .refine((value) => (parseDuration(value) ?? 0) > 0 && (parseDuration(value) ?? 0) <= dayMs, `must be ${durationGrammar}, at most 1d`);

const argumentType = z.union(
  [
    z.strictObject({ enum: z.array(text(1000)).min(1) }),
    z.strictObject({ pattern: text(200), leading_dash: z.boolean().default(false) }),
    z.strictObject({ integer: z.strictObject({ min: z.number().int(), max: z.number().int() }) }),
    z.strictObject({ path_below: absolute }),
  ],
  "must be one of { enum: [...] }, { pattern: … }, { integer: { min, max } }, { path_below: /folder }",
);

const commandSchema = z.strictObject({
  argv,
  args: z.record(argumentName, argumentType).default({}),
  env: z.record(variableName, text(4096)).default({}),
  env_files: z.record(variableName, absolute).default({}),
  open_env: z.record(variableName, argumentType).default({}),
  cwd: absolute.default("/"),
  timeout: duration.default("60s"),
  effect: z.enum(["once", "set", "probed"]).default("once"),
  risk: z.enum(["lowers", "raises"]).default("raises"),
  target: text(200).optional(),
  ok_exits: exits.min(1).default([0]),
  not_applied_exits: exits.default([]),
  probe: z.strictObject({ argv, applied: exits.min(1).default([0]), not_applied: exits.min(1).default([1]) }).optional(),
});

type CommandSettings = z.output<typeof commandSchema>;

/** `commands` of runbookd.yml: names and their templates, proven so that no value can become code. */
export const commandsSchema = z
  .record(z.string().regex(/^[a-z][a-z0-9-]{0,59}$/, "must be a command's name"), commandSchema)
  .superRefine((commands, context) => {
    for (const [name, settings] of Object.entries(commands))
      for (const message of commandFaults(commandTemplateOf(name, settings))) context.addIssue({ code: "custom", path: [name], message });
  });

/** A command with the files whose content becomes its environment. */
export interface RegisteredCommand {
  readonly template: CommandTemplate;
  /** Paths by variable. */
  readonly envFiles: Readonly<Record<string, string>>;
}

/** The templates of proven settings. */
export function registeredCommands(commands: z.output<typeof commandsSchema>): readonly RegisteredCommand[] {
  return Object.entries(commands).map(([name, settings]) => ({
    template: commandTemplateOf(name, settings),
    envFiles: settings.env_files,
  }));
}

function commandTemplateOf(name: string, settings: CommandSettings): CommandTemplate {
  const { probe } = settings;
  return {
    name,
    argv: settings.argv,
    args: typesOf(settings.args),
    env: settings.env,
    openEnv: typesOf(settings.open_env),
    cwd: settings.cwd,
    timeoutMs: parseDuration(settings.timeout) ?? 0,
    effect: settings.effect,
    risk: settings.risk,
    target: settings.target ?? `command/${name}`,
    okExits: settings.ok_exits,
    notAppliedExits: settings.not_applied_exits,
    ...(probe !== undefined && { probe: { argv: probe.argv, applied: probe.applied, notApplied: probe.not_applied } }),
  };
}

function typesOf(types: CommandSettings["args"]): Readonly<Record<string, ArgumentType>> {
  return Object.fromEntries(Object.entries(types).map(([name, type]) => [name, typeOf(type)]));
}

function typeOf(type: z.output<typeof argumentType>): ArgumentType {
  if ("enum" in type) return { kind: "enum", values: type.enum };
  if ("pattern" in type) return { kind: "pattern", pattern: type.pattern, leadingDash: type.leading_dash };
  if ("integer" in type) return { kind: "integer", ...type.integer };
  return { kind: "path", root: type.path_below };
}
