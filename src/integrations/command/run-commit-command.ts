import { z } from "zod";
import type { CommandOutcome, CommandRunner } from "../../actions/command-runner.ts";
import { fillCommand, proveArguments } from "../../actions/fill-command.ts";
import { cleanText } from "../../core/clean-text.ts";
import type { Clock } from "../../core/clock.ts";
import type { CommandTemplate } from "../../core/command-template.ts";
import { isCommitId } from "../../core/commit-id.ts";
import { StepFailure } from "../../core/failure.ts";
import { sha256 } from "../../core/json.ts";
import { shortLine } from "../../core/one-line.ts";

/** One registered command for one commit. */
export interface CommitCommand {
  readonly name: string;
  readonly sha: string;
  /** The same key is the same work; as an argument 64 hexadecimal digits. */
  readonly key: string;
  readonly signal: AbortSignal;
}

/** What starting commands for a commit needs. */
export interface CommitCommandDeps {
  readonly commands: Pick<CommandRunner, "template" | "run">;
  readonly clock: Pick<Clock, "timeout">;
}

/** A command that ended on its own and left no process behind. */
export type EndedCommand = Extract<CommandOutcome, { readonly kind: "exited" }>;

/** Full id of a commit as a command prints it. */
export const printedCommit = z.string().refine(isCommitId);
/** Page of a result as a command prints it. */
export const printedUrl = z
  .string()
  .max(1000)
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));

/** The registered template. @throws StepFailure `invalid_parameters` when there is none. */
export function commitTemplate({ commands }: Pick<CommitCommandDeps, "commands">, name: string): CommandTemplate {
  const template = commands.template(name);
  if (template !== undefined) return template;
  throw new StepFailure({ reason: "invalid_parameters", message: `runbookd.yml registers no command "${name}".`, applied: "no" });
}

/**
 * Starts the template's command, or its probe, for one commit, and waits for its end; no longer than the template allows.
 * @throws StepFailure when it cannot be built or started, was killed, or left processes behind.
 */
export async function runCommitCommand(
  { commands, clock }: CommitCommandDeps,
  template: CommandTemplate,
  { sha, key, signal, argv = template.argv }: Omit<CommitCommand, "name"> & { readonly argv?: readonly string[] },
): Promise<EndedCommand> {
  const { name } = template;
  const given = { sha, key: sha256(key) };
  const wanted = Object.fromEntries(Object.entries(given).filter(([argument]) => Object.hasOwn(template.args, argument)));
  const proven = proveArguments(wanted, { what: "Argument", types: template.args });
  const filled = proven.ok ? fillCommand(template, { argv, texts: proven.texts, openEnv: {} }) : undefined;
  if (filled === undefined) {
    const why = proven.ok ? "it is longer than 8 kB" : proven.issues.join("; ");
    throw new StepFailure({ reason: "invalid_parameters", message: `The command ${name} cannot be built: ${why}.`, applied: "no" });
  }
  const cookie = sha256(`${name} ${key}`).slice(0, 32);
  const limited = AbortSignal.any([signal, clock.timeout(template.timeoutMs)]);
  const outcome = await commands.run({ argv: filled.argv, env: filled.env, cwd: template.cwd, cookie, signal: limited });
  if (outcome.kind === "exited" && !outcome.hasOrphans) return outcome;
  throw failureOf(name, outcome);
}

/** The JSON object in the last line of what the command wrote, in its shape; undefined: there is none of this shape. */
export function printedResult<Value>({ stdout }: EndedCommand, shape: z.ZodType<Value>): Value | undefined {
  const line = stdout.tail.trimEnd().split("\n").at(-1) ?? "";
  try {
    return shape.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** The last line that the command wrote to its error stream, as the end of a sentence; empty when there is none. */
export function lastWords({ stderr }: Pick<EndedCommand, "stderr">): string {
  const line = shortLine(cleanText(stderr.tail.trimEnd().split("\n").at(-1) ?? "", 1000), 200);
  return line === "" ? "" : ` Its last line: ${line}`;
}

function failureOf(name: string, outcome: CommandOutcome): StepFailure {
  if (outcome.kind === "not_started")
    return new StepFailure({
      reason: "not_reachable",
      message: `The command ${name} could not be started: ${outcome.reason}.`,
      applied: "no",
    });
  if (outcome.kind === "exited") {
    const message = `The command ${name} ended with status ${outcome.code} and left processes behind, which were killed.${lastWords(outcome)}`;
    return new StepFailure({ reason: "refused_by_target", message, applied: "unknown" });
  }
  const why = { timeout: "ran for too long", stopped: "was stopped", signal: "ended" }[outcome.why];
  const message = `The command ${name} ${why} and was killed by ${outcome.signal}.${lastWords(outcome)}`;
  return new StepFailure({ reason: outcome.why === "signal" ? "unknown_outcome" : "timeout", message, applied: "unknown" });
}
