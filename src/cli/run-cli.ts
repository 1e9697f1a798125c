import { Command, CommanderError } from "commander";
import { type CommandEntry, commandList } from "./command-list.ts";
import { type CommandContext, exitCodes, hasColour, withCleanOutput } from "./context.ts";
import { defineCommand, type ExitSink, outlineCommand } from "./define-command.ts";

/** What a program is built for. */
export interface ProgramOptions {
  readonly exit: ExitSink;
  readonly version: string;
  /** The one command that is loaded; the others are known by name, arguments and summary. All are loaded without it. */
  readonly only?: string;
}

/** The command line, with its output going to the context. */
export async function createProgram(context: CommandContext, { exit, version, only }: ProgramOptions): Promise<Command> {
  const program = new Command("runbookd")
    .description("Executes Markdown runbooks when Alertmanager calls, and proves that it helped.")
    .version(version)
    // Options behind a command's name are that command's, also where a group has the same ones.
    .enablePositionalOptions();
  for (const entry of commandList) {
    const isLoaded = only === undefined || nameOf(entry) === only;
    program.addCommand(isLoaded ? await loadCommand(entry, context, exit) : outlineOf(entry));
  }
  for (const command of [program, ...program.commands.flatMap((member) => [member, ...member.commands])]) configure(command, context);
  return program;
}

async function loadCommand(entry: CommandEntry, context: CommandContext, exit: ExitSink): Promise<Command> {
  const { body, members, ...head } = entry;
  const command = body === undefined ? outlineCommand(head) : defineCommand({ ...head, ...(await body()) }, context, exit);
  // A command's own options stand before a member; behind one they are the member's.
  if (members !== undefined) command.enablePositionalOptions();
  for (const member of (await members?.()) ?? []) command.addCommand(defineCommand(member, context, exit));
  return command;
}

/** Every command that does something itself has options, and the list of commands says so. */
function outlineOf(entry: CommandEntry): Command {
  const command = outlineCommand(entry);
  return entry.body === undefined ? command : command.option("--json");
}

function nameOf({ usage }: CommandEntry): string {
  return usage.split(" ")[0] ?? "";
}

function configure(command: Command, context: CommandContext): void {
  command.exitOverride();
  command.helpCommand(false);
  command.configureOutput({
    writeOut: (text) => context.write(text),
    writeErr: (text) => context.warn(text),
    getOutHelpWidth: () => 100,
    getErrHelpWidth: () => 100,
    getOutHasColors: () => hasColour(context),
    getErrHasColors: () => false,
  });
}

/** Runs one command line (without node and script) and answers its exit code. Throws only for a defect. */
export async function runCli(args: readonly string[], context: CommandContext, version: string): Promise<number> {
  let code: number = exitCodes.ok;
  const exit: ExitSink = (value) => (code = value);
  // Options before the command's name take no value, so the first other word is the name.
  const only = args.find((word) => !word.startsWith("-")) ?? "";
  try {
    const program = await createProgram(withCleanOutput(context), { exit, version, only });
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
}
