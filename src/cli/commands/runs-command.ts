import { runRecordSchema } from "../../../packages/sdk/src/wire/journal.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { runReferenceSchema, runStates, runSummarySchema } from "../../../packages/sdk/src/wire/runs.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption, textOption } from "../define-command.ts";
import { printRun } from "../print-run.ts";
import { renderRun, renderRuns } from "../render-run.ts";

/** `runbookd runs …`: read and steer runs of a running runbookd. */
export function runsCommands(): readonly CommandDefinition[] {
  return [list, show, control("abort"), control("resume"), control("rerun")];
}

const list: CommandDefinition = {
  usage: "list",
  summary: "List runs, newest first",
  examples: ["runbookd runs list --state suspended", "runbookd runs list --runbook cost-incident-response --json"],
  remote: true,
  options: [
    { flags: "--state <state>", description: "only runs in this state", choices: runStates },
    { flags: "--outcome <outcome>", description: "only runs that ended so" },
    { flags: "--runbook <id>", description: "only runs of this runbook" },
    { flags: "--target <target>", description: "only runs on this target" },
    { flags: "--limit <count>", description: "how many", default: "20" },
    { flags: "--cursor <cursor>", description: "continue behind the page whose answer held it" },
  ],
  async run(_args, invocation) {
    const query = new URLSearchParams();
    for (const name of ["state", "outcome", "runbook", "target", "limit", "cursor"]) {
      const value = textOption(invocation, name);
      if (value !== undefined) query.set(name, value);
    }
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/runs?${query.toString()}`, pageSchema(runSummarySchema));
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) {
      writeJson(invocation.context, answer.body);
      return exitCodes.ok;
    }
    invocation.context.write(renderRuns(answer.body.items));
    if (answer.body.nextCursor !== undefined) invocation.context.write(`More: --cursor ${answer.body.nextCursor}\n`);
    return exitCodes.ok;
  },
};

const show: CommandDefinition = {
  usage: "show <run>",
  summary: "Show one run: its state, its journal and, once it has ended, its report",
  examples: ["runbookd runs show 01K0ABCDEFGHJKMNPQRSTVWXYZ", "runbookd runs show 01K0ABCDEFGHJKMNPQRSTVWXYZ --follow"],
  remote: true,
  options: [
    {
      flags: "--follow",
      description: "print what happens until the run ends; exit code 0 when it succeeded, else 1; --json: one entry per line",
    },
  ],
  async run([id = ""], invocation) {
    if (flagOption(invocation, "follow")) return printRun(id, invocation);
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/runs/${encodeURIComponent(id)}`, runRecordSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) {
      writeJson(invocation.context, answer.body);
      return exitCodes.ok;
    }
    invocation.context.write(renderRun(answer.body.summary, answer.body.journal));
    if (answer.body.report !== undefined) invocation.context.write(`\n${answer.body.report.text}\n`);
    return exitCodes.ok;
  },
};

const controls = {
  abort: { summary: "End a run before its next effect", done: "will stop before its next effect" },
  resume: { summary: "Wake a waiting run now", done: "was woken" },
  rerun: { summary: "Start a new run with the same request and the document in force", done: "was started" },
} as const;

function control(verb: keyof typeof controls): CommandDefinition {
  return {
    usage: `${verb} <run>`,
    summary: controls[verb].summary,
    examples: [`runbookd runs ${verb} 01K0ABCDEFGHJKMNPQRSTVWXYZ${verb === "abort" ? " --reason 'wrong budget'" : ""}`],
    remote: true,
    ...(verb === "abort"
      ? {
          options: [
            { flags: "--reason <text>", description: "stands in the journal and the report", default: "stopped from the command line" },
          ],
        }
      : {}),
    ...(verb === "rerun" ? { options: [{ flags: "--pinned", description: "with the document of the first run; for admins only" }] } : {}),
    async run([id = ""], invocation) {
      const client = await createApiClient(invocation);
      const body = verb === "abort" ? { reason: textOption(invocation, "reason") } : undefined;
      const query = verb === "rerun" && flagOption(invocation, "pinned") ? "?document=pinned" : "";
      const answer = await client.post(`/api/runs/${encodeURIComponent(id)}/${verb}${query}`, body, runReferenceSchema);
      if (answer.kind !== "ok") return reportFailure(invocation, answer);
      if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
      else invocation.context.write(`Run ${answer.body.runId} ${controls[verb].done}.\n`);
      return exitCodes.ok;
    },
  };
}
