import { Command } from "commander";
import type { CommandContext, ExitCode } from "./context.ts";

/** What a command's handler is given besides its arguments. */
export interface CommandInvocation {
  readonly context: CommandContext;
  /** Options by their long name in camel case, after commander. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Receives a finished command's exit code. */
export type ExitSink = (code: ExitCode) => void;

/** How a command is called and what it is for. */
export interface CommandHead {
  /** Name and arguments in commander's notation, e.g. `show <run>`. */
  readonly usage: string;
  readonly summary: string;
}

/** What a command takes and does; `run` answers with the exit code and never ends the process. */
export interface CommandBody {
  /** Command lines shown under the help. */
  readonly examples: readonly string[];
  readonly options?: readonly CommandOption[];
  /** Whether it talks to a running runbookd; adds `--url`. */
  readonly remote?: boolean;
  run(args: readonly string[], invocation: CommandInvocation): Promise<ExitCode>;
}

/** A command as data. */
export type CommandDefinition = CommandHead & CommandBody;

/** One option. `collect` may be given several times and becomes a list. */
export interface CommandOption {
  readonly flags: string;
  readonly description: string;
  readonly default?: string;
  readonly choices?: readonly string[];
  readonly collect?: boolean;
}

/** Builds the commander command of a definition. Every command has `--json`, `--help` and an example. */
export function defineCommand(definition: CommandDefinition, context: CommandContext, exit: ExitSink): Command {
  const command = outlineCommand(definition).allowExcessArguments(false);
  for (const option of definition.options ?? []) addOption(command, option);
  if (definition.remote === true) command.option("--url <url>", "address of the running runbookd (RUNBOOKD_URL)");
  command.option("--json", "print one JSON document");
  command.addHelpText(
    "after",
    `\n${definition.examples.length === 1 ? "Example" : "Examples"}:\n${definition.examples.map((line) => `  $ ${line}\n`).join("")}`,
  );
  command.action(async () => {
    const args = command.processedArgs.flat().filter((value): value is string => typeof value === "string");
    exit(await definition.run(args, { context, options: command.opts() }));
  });
  return command;
}

/** A command with its arguments and its summary: all that the list of commands shows, but for its options. */
export function outlineCommand({ usage, summary }: CommandHead): Command {
  const [name = "", ...parameters] = usage.split(" ");
  const command = new Command(name).description(summary);
  for (const parameter of parameters) command.argument(parameter);
  return command;
}

function addOption(command: Command, option: CommandOption): void {
  const created = command.createOption(option.flags, option.description);
  if (option.choices !== undefined) created.choices(option.choices);
  if (option.default !== undefined) created.default(option.default);
  if (option.collect === true) created.argParser((value: string, previous: readonly string[] | undefined) => [...(previous ?? []), value]);
  command.addOption(created);
}

/** An option's text, or undefined when it was not given. */
export function textOption(invocation: CommandInvocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === "string" ? value : undefined;
}

/** Whether a flag was given. */
export function flagOption(invocation: CommandInvocation, name: string): boolean {
  return invocation.options[name] === true;
}

/** The texts of an option that may be given several times. */
export function listOption(invocation: CommandInvocation, name: string): readonly string[] {
  const value = invocation.options[name];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}
