import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { jsonSchema } from "../../../packages/sdk/src/wire/json.ts";
import type { CommandOutcome, CommandRunner } from "../../actions/command-runner.ts";
import { type FilledCommand, fillCommand, proveArguments } from "../../actions/fill-command.ts";
import { cleanText } from "../../core/clean-text.ts";
import type { Clock } from "../../core/clock.ts";
import type { CommandTemplate } from "../../core/command-template.ts";
import { StepFailure } from "../../core/failure.ts";
import { sha256 } from "../../core/json.ts";
import { shortLine } from "../../core/one-line.ts";
import type { AttackRequest, AttackRun, AttackRunner, AttackTranscript } from "../../llm/attacks/attack-runner.ts";

/** What attacks are sent with. */
export interface CommandAttackOptions {
  /** Keeps more of the output than that of other commands: transcripts are long. */
  readonly commands: Pick<CommandRunner, "run" | "template">;
  readonly clock: Pick<Clock, "timeout">;
}

const transcriptSchema = z.strictObject({
  id: z.string().min(1).max(300),
  answers: z.array(z.string()).max(1000).default([]),
  toolCalls: z
    .array(z.strictObject({ name: z.string().min(1).max(200), arguments: jsonSchema.default(null) }))
    .max(1000)
    .default([]),
  received: z.array(z.string()).max(1000).default([]),
  failed: z.string().exactOptional(),
});
const lineSchema = z.union([z.strictObject({ sha: z.string().max(100) }), transcriptSchema]);

/**
 * Attacks by a registered command, which starts an isolated instance of one version, sends each try to it, and ends it. The command is given the tries in a file
 * and prints JSON lines: one transcript for each try, and one `{"sha": "…"}` with the commit that the instance ran. Lines that do not begin with `{` are passed
 * over. A command that was cut off is started anew with the same key; before that, every process of the earlier one is ended.
 */
export function createCommandAttacks({ commands, clock }: CommandAttackOptions): AttackRunner {
  return {
    async replay(request, { key, signal }) {
      const job = request.feature.attacks;
      const template = job && commands.template(job.name);
      if (template === undefined)
        throw refusal(`\`attacks\` of feature ${request.feature.name} names no command that is registered under commands in runbookd.yml.`);
      const version = request.version.kind === "commit" ? request.version.sha : "deployed";
      const scratch = await mkdtemp(join(tmpdir(), "runbookd-attacks-"));
      try {
        const file = join(scratch, "tries.json");
        await writeFile(file, JSON.stringify({ feature: request.feature.name, version, tries: request.tries }), { mode: 0o600 });
        const { argv, env } = build(template, request, { sha: version, key: sha256(key).slice(0, 32), file });
        const cookie = sha256(`attacks ${request.feature.name} ${key}`).slice(0, 32);
        const until = AbortSignal.any([signal, clock.timeout(template.timeoutMs)]);
        const outcome = await commands.run({ argv, env, cwd: template.cwd, cookie, signal: until });
        return { kind: "done", result: readRun(template, outcome) };
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    },
  };
}

/** The arguments that the template names, and the same as variables of its environment. */
function build(
  template: CommandTemplate,
  { feature }: AttackRequest,
  given: { readonly sha: string; readonly key: string; readonly file: string },
): FilledCommand {
  const wanted = Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(template.args, name)));
  const proven = proveArguments(wanted, { what: "Argument", types: template.args });
  if (!proven.ok) throw refusal(`The command ${template.name} cannot be built: ${proven.issues.join("; ")}.`);
  const filled = fillCommand(template, {
    argv: template.argv,
    texts: proven.texts,
    openEnv: {
      RUNBOOKD_FEATURE: feature.name,
      RUNBOOKD_SHA: given.sha,
      RUNBOOKD_KEY: given.key,
      RUNBOOKD_TRIES_FILE: given.file,
    },
  });
  if (filled === undefined) throw refusal(`The command ${template.name} cannot be built: it is longer than 8 kB.`);
  return filled;
}

function readRun({ name, okExits }: CommandTemplate, outcome: CommandOutcome): AttackRun {
  if (outcome.kind === "not_started") throw refusal(`The command ${name} could not be started: ${outcome.reason}.`);
  const last = shortLine(cleanText(outcome.stderr.text.trimEnd().split("\n").at(-1) ?? "", 1000), 200);
  const tail = last === "" ? "" : ` Its last line: ${last}`;
  // What was attacked is an instance of its own, so nothing else can have changed.
  if (outcome.kind === "killed")
    throw new StepFailure({ reason: "timeout", message: `The command ${name} was killed (${outcome.why}).${tail}`, applied: "no" });
  if (outcome.hasOrphans) throw refusal(`The command ${name} left processes behind, which were killed.${tail}`);
  if (!okExits.includes(outcome.code)) throw refusal(`The command ${name} ended with status ${outcome.code}.${tail}`);
  if (outcome.stdout.truncated) throw refusal(`The command ${name} printed ${outcome.stdout.bytes} bytes, which is too much.`);
  const shas = new Set<string>();
  const transcripts: AttackTranscript[] = [];
  for (const [index, line] of outcome.stdout.text.split("\n").entries()) {
    if (!line.startsWith("{")) continue;
    const read = readLine(line);
    if (read === undefined)
      throw refusal(`Line ${index + 1} of the command ${name} is neither a transcript nor {"sha": …}; docs/attacks.md describes both.`);
    if ("sha" in read) shas.add(read.sha);
    else {
      const { failed, ...transcript } = read;
      transcripts.push({ ...transcript, ...(failed !== undefined && { failed: shortLine(cleanText(failed, 1000), 200) }) });
    }
  }
  const [sha] = shas;
  if (sha === undefined || shas.size > 1)
    throw refusal(
      `The command ${name} named ${shas.size} commits; it must print one line {"sha": "…"} with the commit that the instance ran.`,
    );
  return { sha, transcripts };
}

/** Undefined: it is neither form, or nested too deeply to be read. */
function readLine(line: string): z.output<typeof lineSchema> | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function refusal(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
