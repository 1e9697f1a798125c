import { Command, CommanderError } from "commander";
import { alertCommand } from "./commands/alert-command.ts";
import { approvalsCommand } from "./commands/approvals-command.ts";
import { auditCommand } from "./commands/audit-command.ts";
import { batchesCommand } from "./commands/batches-command.ts";
import { changesCommand } from "./commands/changes-command.ts";
import { doctorCommand } from "./commands/doctor-command.ts";
import { explainCommand } from "./commands/explain-command.ts";
import { findingsCommand } from "./commands/findings-command.ts";
import { freezeCommand, unfreezeCommand } from "./commands/freeze-command.ts";
import { indexCommand } from "./commands/index-command.ts";
import { lintCommand } from "./commands/lint-command.ts";
import { newCommand } from "./commands/new-command.ts";
import { promptsCommands } from "./commands/prompt-versions.ts";
import { rehearseCommand } from "./commands/rehearse-command.ts";
import { replayCommand } from "./commands/replay-command.ts";
import { routesCommand } from "./commands/routes-command.ts";
import { runsCommand } from "./commands/runs-command.ts";
import { schemaCommand } from "./commands/schema-command.ts";
import { serverCommand, upCommand, workCommand, workerCommand } from "./commands/serve.ts";
import { runCommand } from "./commands/start-run.ts";
import { tokenCommand } from "./commands/token-command.ts";
import { type CommandContext, exitCodes, hasColour } from "./context.ts";
import { defineCommand, type ExitSink } from "./define-command.ts";

/** The whole command line, with its output going to the context. */
export function createProgram(context: CommandContext, exit: ExitSink, version: string): Command {
  const single = [
    upCommand,
    serverCommand,
    workerCommand,
    workCommand,
    doctorCommand,
    lintCommand,
    indexCommand,
    newCommand,
    schemaCommand,
    rehearseCommand,
    replayCommand,
    runCommand,
    freezeCommand,
    unfreezeCommand,
  ].map((definition) => defineCommand(definition, context, exit));
  const groups = [
    alertCommand,
    runsCommand,
    approvalsCommand,
    auditCommand,
    batchesCommand,
    promptsCommands,
    findingsCommand,
    routesCommand,
    explainCommand,
    changesCommand,
    tokenCommand,
  ].map((create) => create(context, exit));
  const program = new Command("runbookd")
    .description("Executes Markdown runbooks when Alertmanager calls, and proves that it helped.")
    .version(version)
    // Options behind a command's name are that command's, also where a group has the same ones.
    .enablePositionalOptions();
  for (const command of [...single, ...groups]) program.addCommand(command);
  for (const command of [program, ...program.commands.flatMap((member) => [member, ...member.commands])]) configure(command, context);
  return program;
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
  const program = createProgram(context, (value) => (code = value), version);
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
}
