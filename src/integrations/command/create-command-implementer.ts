import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandOutcome, CommandRunner } from "../../actions/command-runner.ts";
import { fillCommand, proveArguments } from "../../actions/fill-command.ts";
import { cleanText } from "../../core/clean-text.ts";
import type { Clock } from "../../core/clock.ts";
import type { CommandTemplate } from "../../core/command-template.ts";
import { sha256 } from "../../core/json.ts";
import type { Implementer, PhaseResult, PhaseTask } from "../../llm/tickets/implementer.ts";
import { nameFailure } from "../../llm/tickets/recover-ticket.ts";
import { trialOf } from "../../llm/tickets/trial.ts";

/** What a command implements with. */
export interface CommandImplementerOptions {
  readonly commands: Pick<CommandRunner, "run">;
  /** `stage`, `ticket` and `attempt` are the arguments that its argv may hold; it runs in the ticket's workspace and not in its own `cwd`. */
  readonly template: CommandTemplate;
  readonly clock: Clock;
}

/** Well within what counts as a sign of life. */
const heartbeatIntervalMs = 20_000;
/** Of what a command wrote in one stage. */
const maxConversation = 20_000;

/**
 * A registered command as the implementer of every stage: started without a shell in the ticket's workspace, with the ticket, the stage and what was said so
 * far in its environment and in files that it names. What it writes to its output is the conversation; an exit status of `ok_exits` is a stage that is done,
 * one of `not_applied_exits` a failure that another try does not mend, and any other a failure that it may. A command that makes the file
 * `RUNBOOKD_UNUSED_FILE` says that no request of the stage will be billed.
 */
export function createCommandImplementer({ commands, template, clock }: CommandImplementerOptions): Implementer {
  return async (task) => {
    const scratch = await mkdtemp(join(tmpdir(), "runbookd-stage-"));
    const heartbeats = startHeartbeats(task, clock);
    try {
      await writeFile(join(scratch, "conversation"), task.conversation);
      await writeFile(
        join(scratch, "ticket.json"),
        JSON.stringify({ id: task.ticket.id, kind: task.ticket.kind, payload: task.ticket.payload }),
      );
      const { argv, env } = build(template, task, scratch);
      const cookie = sha256(`${task.ticket.id} ${task.phase} ${task.attempt}`).slice(0, 32);
      const signal = AbortSignal.any([task.signal, heartbeats.lost, clock.timeout(template.timeoutMs)]);
      const result = judge(task, template, await commands.run({ argv, env, cwd: task.folder, cookie, signal }));
      return (await isThere(unusedFile(scratch))) ? { ...result, unused: true } : result;
    } finally {
      await heartbeats.stop();
      await rm(scratch, { recursive: true, force: true });
    }
  };
}

function unusedFile(scratch: string): string {
  return join(scratch, "unused");
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

interface Heartbeats {
  /** Aborted when the ticket was taken away. */
  readonly lost: AbortSignal;
  stop(): Promise<void>;
}

/** A process that lives is a sign of life; one whose ticket was taken away is killed. */
function startHeartbeats(task: PhaseTask, clock: Clock): Heartbeats {
  const over = new AbortController();
  const lost = new AbortController();
  const sending = send();
  return {
    lost: lost.signal,
    async stop() {
      over.abort();
      await sending;
    },
  };

  async function send(): Promise<void> {
    for (;;) {
      try {
        await clock.sleep(heartbeatIntervalMs, over.signal);
      } catch {
        return;
      }
      try {
        await task.heartbeat();
      } catch (error) {
        lost.abort(error);
        return;
      }
    }
  }
}

function build(template: CommandTemplate, task: PhaseTask, scratch: string) {
  const given = { stage: task.phase, ticket: task.ticket.id, attempt: task.attempt };
  const wanted = Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(template.args, name)));
  const proven = proveArguments(wanted, { what: "Argument", types: template.args });
  if (!proven.ok) throw new Error(`The command ${template.name} cannot be built: ${proven.issues.join("; ")}.`);
  const filled = fillCommand(template, {
    argv: template.argv,
    texts: proven.texts,
    openEnv: {
      RUNBOOKD_STAGE: task.phase,
      RUNBOOKD_TICKET: task.ticket.id,
      RUNBOOKD_ATTEMPT: String(task.attempt),
      RUNBOOKD_LEASE: task.leaseId,
      RUNBOOKD_MODEL: trialOf(task.ticket)?.model ?? "",
      RUNBOOKD_COMPACT: String(task.compact),
      RUNBOOKD_COMPLAINT: task.complaint.slice(0, 2000),
      RUNBOOKD_CONVERSATION_FILE: join(scratch, "conversation"),
      RUNBOOKD_TICKET_FILE: join(scratch, "ticket.json"),
      RUNBOOKD_UNUSED_FILE: unusedFile(scratch),
    },
  });
  if (filled === undefined) throw new Error(`The command ${template.name} cannot be built: it is longer than 8 kB.`);
  return filled;
}

function judge(task: PhaseTask, template: CommandTemplate, outcome: CommandOutcome): PhaseResult {
  if (outcome.kind === "not_started")
    return {
      kind: "failed",
      failureClass: "tool_error",
      conversation: task.conversation,
      reason: `The command could not be started: ${outcome.reason}`,
      retry: false,
      unused: true,
    };
  const said = cleanText(outcome.stdout.text, maxConversation);
  const conversation = `${task.conversation}\n[${task.phase}] ${said}`.trim();
  if (outcome.kind === "exited" && !outcome.hasOrphans && template.okExits.includes(outcome.code)) return { kind: "done", conversation };
  const last = cleanText(outcome.stderr.text.trimEnd().split("\n").at(-1) ?? "", 300);
  if (outcome.kind === "killed")
    return {
      kind: "failed",
      failureClass: "tool_error",
      conversation,
      reason: `The command was killed (${outcome.why}). ${last}`.trim(),
      retry: true,
    };
  const reason = `The command ended with status ${outcome.code}. ${last}`.trim();
  const named = nameFailure({ ticket: { state: "running", reason: last, failures: [] }, conflicts: [], standing: false }).failureClass;
  const failureClass = named === "unknown" ? (task.phase === "test" ? "test_failure" : "tool_error") : named;
  return { kind: "failed", conversation, failureClass, reason, retry: !template.notAppliedExits.includes(outcome.code) };
}
