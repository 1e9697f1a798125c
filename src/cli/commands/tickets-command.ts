import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { type Ticket, ticketSchema, ticketStates } from "../../../packages/sdk/src/wire/tickets.ts";
import { oneLine } from "../../core/one-line.ts";
import { parseStagedWork, type StagedWork } from "../../llm/tickets/staged-work.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption, textOption } from "../define-command.ts";

/** `runbookd tickets …`: tickets and the work that they saved. */
export function ticketsCommands(): readonly CommandDefinition[] {
  return [list, show];
}

const list: CommandDefinition = {
  usage: "list",
  summary: "List tickets, newest first",
  examples: ["runbookd tickets list", "runbookd tickets list --state dead --batch nightly-2026-01-31"],
  remote: true,
  options: [
    { flags: "--state <state>", description: "only those of a state", choices: ticketStates },
    { flags: "--batch <batch>", description: "only those of a batch" },
    { flags: "--limit <count>", description: "how many", default: "20" },
    { flags: "--cursor <cursor>", description: "continue behind the page whose answer held it" },
  ],
  async run(_args, invocation) {
    const { context } = invocation;
    const query = new URLSearchParams({ limit: textOption(invocation, "limit") ?? "20" });
    for (const name of ["state", "batch", "cursor"]) {
      const value = textOption(invocation, name);
      if (value !== undefined) query.set(name, value);
    }
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/tickets?${query.toString()}`, pageSchema(ticketSchema));
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { items, nextCursor } = answer.body;
    const header = ["ID", "STATE", "STAGE", "TRY", "REASON"];
    const rows = items.map(({ id, state, stage, attempt, reason }) => [
      oneLine(id),
      state,
      oneLine(stage),
      String(attempt),
      oneLine(reason),
    ]);
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else context.write(items.length === 0 ? "No tickets.\n" : renderTable([header, ...rows]));
    if (nextCursor !== undefined && !flagOption(invocation, "json")) context.write(`More: --cursor ${nextCursor}\n`);
    return exitCodes.ok;
  },
};

const show: CommandDefinition = {
  usage: "show <ticket>",
  summary: "Show one ticket with its checkpoints, and what of its workspace they could not keep",
  examples: ["runbookd tickets show GH-1"],
  remote: true,
  async run([id = ""], invocation) {
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/tickets/${encodeURIComponent(id)}`, ticketSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else invocation.context.write(`${describe(answer.body).join("\n")}\n`);
    return exitCodes.ok;
  },
};

function describe(ticket: Ticket): readonly string[] {
  const { id, state, reason, budget, queue, attempt, maxAttempts, stage, failures } = ticket;
  const work = parseStagedWork(ticket.saved);
  return [
    `${oneLine(id)}: ${state}${reason === "" ? "" : ` (${oneLine(reason)})`}`,
    `budget ${budget}, queue ${queue}, try ${attempt} of ${maxAttempts}${stage === "" ? "" : `, stage ${oneLine(stage)}`}`,
    ...(failures.length === 0 ? [] : [`failures: ${failures.map((failure) => oneLine(failure)).join(", ")}`]),
    ...work.done.flatMap((one) => checkpointLines(`checkpoint ${one.n} after ${one.stage}`, one)),
    ...(work.resume === undefined ? [] : checkpointLines(`goes on from checkpoint ${work.resume.n}`, work.resume)),
    ...(work.published === undefined ? [] : [`published: ${oneLine(work.published)}`]),
  ];
}

function checkpointLines(
  what: string,
  { commit, omitted = [] }: StagedWork["done"][number] | NonNullable<StagedWork["resume"]>,
): readonly string[] {
  return [`${what}: ${oneLine(commit)}`, ...omitted.map((path) => `  not kept: ${oneLine(path)}`)];
}
