import { z } from "zod";
import type { Failure } from "../../packages/sdk/src/wire/failures.ts";
import { canonicalJson, type Json } from "../../packages/sdk/src/wire/json.ts";
import type { ActionOutput, Effect, Plan } from "../../packages/sdk/src/wire/plans.ts";
import type { ActionCatalogue, ActionContext, ActionSpec, Probe } from "../core/action.ts";
import { cleanText } from "../core/clean-text.ts";
import { type CommandTemplate, placeholderPattern } from "../core/command-template.ts";
import { StepFailure } from "../core/failure.ts";
import { sha256 } from "../core/json.ts";
import { shortLine } from "../core/one-line.ts";
import type { CommandOutcome, CommandRunner, CommandStream } from "./command-runner.ts";
import { defineAction } from "./define-action.ts";
import { describeType, type FilledCommand, fillCommand, proveArguments } from "./fill-command.ts";

const maxStreamText = 6000;

const parameterSchema = z.strictObject({
  command: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,59}$/, { message: "must be the name of one registered command" })
    .meta({ description: "Name of a command that `commands` in runbookd.yml registers." }),
  args: z
    .record(z.string(), z.union([z.string().max(1000), z.number()]))
    .default({})
    .meta({ description: "Its arguments by name; each is proven against its registered type." }),
  env: z
    .record(z.string(), z.union([z.string().max(1000), z.number()]))
    .default({})
    .meta({ description: "Variables that the template opens with `open_env`; nothing else is passed on." }),
});

type Parameters = z.output<typeof parameterSchema>;

/** Runs one registered command, without a shell. */
export const runCommand = defineAction({
  name: "run-command",
  summary: "Runs one command that the configuration registers: no shell, proven arguments, its own environment, killed with its worker.",
  parameters: parameterSchema,
  result: {
    exit_code: "exit status",
    stdout: `what it wrote, cleaned, at most ${maxStreamText} characters: the beginning and the end`,
    stderr: "the same of its other stream",
    stdout_sha256: "hash of everything that it wrote",
    stderr_sha256: "hash of everything that it wrote",
    stdout_bytes: "bytes that it wrote",
    stderr_bytes: "bytes that it wrote",
    truncated: "whether more was written than is kept",
  },
  // Nobody knows the template here, so the dearest class; a bound action has its template's.
  effect: "once",
  risk: "raises",
  targetsOf: () => [],
  timeoutMs: 60_000,
  probes: true,
  undoes: false,
  behave(parameters, { commands }: { readonly commands: CommandRunner }) {
    const template = commands.template(parameters.command);
    if (template === undefined) {
      const refuse = async (): Promise<never> => {
        throw unregistered(parameters.command);
      };
      return { plan: refuse, run: refuse, probe: refuse };
    }
    const prepare = async (argv: readonly string[]): Promise<FilledCommand> => fill({ template, argv, commands }, parameters);

    return {
      effect: template.effect,
      risk: template.risk,
      timeoutMs: template.timeoutMs,
      async plan(): Promise<Plan> {
        const command = await prepare(template.argv);
        return {
          summary: `Run ${template.name}: ${shortLine(command.argv.join(" "), 300)}`,
          targets: [command.target],
          changes: [],
          reversible: false,
          data: planData(template, command),
        };
      },
      async run(plan, context) {
        const command = await prepare(template.argv);
        if (canonicalJson(plan.data) !== canonicalJson(planData(template, command)))
          throw new StepFailure({
            reason: "invalid_parameters",
            message: `The command ${template.name} is not what was planned any more: its template or a path has changed.`,
            applied: "no",
          });
        const outcome = await commands.run(start(template, command, context));
        if (outcome.kind === "exited" && !outcome.hasOrphans && template.okExits.includes(outcome.code))
          return { kind: "done", output: outputOf(outcome) };
        throw new StepFailure(failureOf(template, outcome));
      },
      async probe(_plan, context): Promise<Probe> {
        const { probe } = template;
        if (probe === undefined) return { kind: "unknown", reason: `the command ${template.name} has no probe` };
        const outcome = await commands.run(start(template, await prepare(probe.argv), context));
        if (outcome.kind !== "exited") return { kind: "unknown", reason: failureOf(template, outcome).message };
        if (probe.applied.includes(outcome.code)) return { kind: "applied", output: outputOf(outcome) };
        if (probe.notApplied.includes(outcome.code)) return { kind: "not_applied" };
        return { kind: "unknown", reason: `the probe of ${template.name} ended with status ${outcome.code}` };
      },
    };
  },
});

/** The catalogue with what the configuration registers: a document that names another command, or a wrong argument, is a fault of the document. */
export function withCommands(catalogue: ActionCatalogue, templates: readonly CommandTemplate[]): ActionCatalogue {
  const templatesByName = new Map(templates.map((template) => [template.name, template]));
  const accepted = [...templatesByName.keys()].sort().join(", ") || "none is registered";
  const spec: ActionSpec = {
    ...runCommand.spec,
    parameters: parameterSchema
      .extend({
        command: parameterSchema.shape.command.refine((name) => templatesByName.has(name), `no registered command; accepted: ${accepted}`),
      })
      .superRefine(({ command, args, env }, context) => {
        const template = templatesByName.get(command);
        if (template === undefined) return;
        for (const proven of [
          proveArguments(args, { what: "args:", types: template.args }),
          proveArguments(env, { what: "env:", types: template.openEnv, partial: true }),
        ])
          if (!proven.ok) for (const message of proven.issues) context.addIssue({ code: "custom", message });
      }),
    effectOf: ({ command }): Effect => (typeof command === "string" ? templatesByName.get(command)?.effect : undefined) ?? "once",
    riskOf: ({ command }) => (typeof command === "string" ? templatesByName.get(command)?.risk : undefined) ?? "raises",
    targetsOf({ command, args }) {
      const template = typeof command === "string" ? templatesByName.get(command) : undefined;
      return template?.risk === "raises" ? [writtenTarget(template.target, args)] : [];
    },
  };
  return { names: catalogue.names, find: (name) => (name === spec.name ? spec : catalogue.find(name)) };
}

/** The target with the arguments as the document writes them; an unresolved one stays a name. */
function writtenTarget(target: string, args: unknown): string {
  return target.replaceAll(placeholderPattern, (whole, name?: string) => {
    const value: unknown = name !== undefined && typeof args === "object" && args !== null ? Reflect.get(args, name) : undefined;
    if (typeof value === "string" || typeof value === "number") return String(value);
    return name === undefined ? whole.slice(1) : whole;
  });
}

function unregistered(name: string): StepFailure {
  return new StepFailure({
    reason: "invalid_parameters",
    message: `There is no registered command "${name}". Commands are registered under commands in runbookd.yml.`,
    applied: "no",
  });
}

interface Unfilled {
  readonly template: CommandTemplate;
  /** The template's own arguments, or those of its probe. */
  readonly argv: readonly string[];
  readonly commands: CommandRunner;
}

async function fill({ template, argv, commands }: Unfilled, { args, env }: Parameters): Promise<FilledCommand> {
  const proven = proveArguments(args, { what: "Argument", types: template.args });
  const open = proveArguments(env, { what: "Variable", types: template.openEnv, partial: true });
  const issues = [proven, open].flatMap((one) => (one.ok ? [] : one.issues));
  const texts: Record<string, string> = proven.ok ? { ...proven.texts } : {};
  for (const [name, type] of Object.entries(template.args)) {
    const text = texts[name];
    if (type.kind !== "path" || text === undefined) continue;
    const place = await commands.placeBelow(type.root, text);
    if (place === undefined) issues.push(`Argument ${name} must be ${describeType(type)}, and exist`);
    else texts[name] = place;
  }
  const filled = issues.length > 0 || !open.ok ? undefined : fillCommand(template, { argv, texts, openEnv: open.texts });
  if (filled !== undefined) return filled;
  const why = issues.length === 0 ? "it is longer than 8 kB" : issues.join("; ");
  throw new StepFailure({ reason: "invalid_parameters", message: `The command ${template.name} cannot be built: ${why}.`, applied: "no" });
}

/** A person approves exactly this argv; the environment may hold secrets, so that only its hash is stored. */
function planData(template: CommandTemplate, command: FilledCommand): Json {
  return { command: template.name, argv: command.argv, env: sha256(canonicalJson(command.env)), cwd: template.cwd };
}

function start(template: CommandTemplate, command: FilledCommand, context: ActionContext) {
  const { argv, env } = command;
  return { argv, env, cwd: template.cwd, cookie: sha256(context.idempotencyKey).slice(0, 32), signal: context.signal };
}

function outputOf(outcome: Extract<CommandOutcome, { kind: "exited" }>): ActionOutput {
  const { stdout, stderr } = outcome;
  return {
    exit_code: outcome.code,
    stdout: boundedText(stdout),
    stderr: boundedText(stderr),
    stdout_sha256: stdout.sha256,
    stderr_sha256: stderr.sha256,
    stdout_bytes: stdout.bytes,
    stderr_bytes: stderr.bytes,
    truncated: [stdout, stderr].some((stream) => stream.truncated || stream.text.length > maxStreamText),
  };
}

/** The beginning and the end: an error usually stands last. */
function boundedText({ text }: CommandStream): string {
  const clean = cleanText(text, 100_000);
  const half = maxStreamText / 2;
  return clean.length <= maxStreamText ? clean : `${clean.slice(0, half)}\n…\n${clean.slice(-half)}`;
}

/** Only what never started, and what the command itself declares, is certainly not applied. */
function failureOf(template: CommandTemplate, outcome: CommandOutcome): Failure {
  const { name } = template;
  if (outcome.kind === "not_started")
    return { reason: "not_reachable", message: `The command ${name} could not be started: ${outcome.reason}.`, applied: "no" };
  const said = shortLine(cleanText(outcome.stderr.text.trimEnd().split("\n").at(-1) ?? "", 1000), 200);
  const tail = said === "" ? "" : ` Its last line: ${said}`;
  if (outcome.kind === "killed") {
    const why = { timeout: "ran for too long", stopped: "was stopped", signal: "ended" }[outcome.why];
    const reason = outcome.why === "signal" ? "unknown_outcome" : "timeout";
    return { reason, message: `The command ${name} ${why} and was killed by ${outcome.signal}.${tail}`, applied: "unknown" };
  }
  if (outcome.hasOrphans)
    return {
      reason: "unknown_outcome",
      message: `The command ${name} ended with status ${outcome.code} and left processes behind, which were killed.${tail}`,
      applied: "unknown",
    };
  if (template.notAppliedExits.includes(outcome.code))
    return { reason: "refused_by_target", message: `The command ${name} refused with status ${outcome.code}.${tail}`, applied: "no" };
  return { reason: "unknown_outcome", message: `The command ${name} ended with status ${outcome.code}.${tail}`, applied: "unknown" };
}
