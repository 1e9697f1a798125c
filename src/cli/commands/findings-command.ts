import { commentedFindingSchema, findingStatuses } from "../../../packages/sdk/src/wire/findings.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { oneLine } from "../../core/one-line.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandBody, type CommandDefinition, flagOption, textOption } from "../define-command.ts";

/** `runbookd findings …`: what was found out about the workload, and what people say of it. */
export function findingsCommands(): readonly CommandDefinition[] {
  return [say];
}

/** `runbookd findings`. */
export const findingsCommand: CommandBody = {
  examples: ["runbookd findings", "runbookd findings --status open"],
  remote: true,
  options: [{ flags: "--status <status>", description: "only those of a status", choices: findingStatuses }],
  async run(_args, invocation) {
    const { context } = invocation;
    const client = await createApiClient(invocation);
    const status = textOption(invocation, "status");
    const query = status === undefined ? "" : `?${new URLSearchParams({ status }).toString()}`;
    const answer = await client.get(`/api/findings${query}`, pageSchema(commentedFindingSchema));
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { items } = answer.body;
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else if (items.length === 0) context.write("There are no findings.\n");
    else {
      const rows = items.map((one) => [one.id, one.severity, one.status, oneLine(one.note?.by ?? ""), oneLine(one.title)]);
      context.write(renderTable([["ID", "SEVERITY", "STATUS", "BY", "FINDING"], ...rows]));
    }
    return exitCodes.ok;
  },
};

const say: CommandDefinition = {
  usage: "say <finding> <status>",
  summary: `Say what becomes of a finding (${findingStatuses.join(", ")}); it is open again when it gets graver`,
  examples: ["runbookd findings say cache-6aee16ddac171b19 accepted --reason 'a nightly job'"],
  remote: true,
  options: [{ flags: "--reason <text>", description: "why; others read it, and it stands in the audit log" }],
  async run([id = "", status = ""], invocation) {
    const { context } = invocation;
    const reason = textOption(invocation, "reason");
    if (reason === undefined) {
      context.warn("A status needs --reason; accepted: a sentence that tells others why.\n");
      return exitCodes.usage;
    }
    const client = await createApiClient(invocation);
    const answer = await client.put(`/api/findings/${encodeURIComponent(id)}/status`, { status, reason }, commentedFindingSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else context.write(`${answer.body.id} is ${answer.body.status}: ${oneLine(answer.body.title)}\n`);
    return exitCodes.ok;
  },
};
