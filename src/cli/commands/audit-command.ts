import { auditRecordSchema, auditVerdictSchema } from "../../../packages/sdk/src/wire/audit.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { oneLine } from "../../core/one-line.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption } from "../define-command.ts";
import { formatInstant } from "../render-run.ts";

/** `runbookd audit …`: what people did, and the proof that no record was changed. */
export function auditCommands(): readonly CommandDefinition[] {
  return [list, verify];
}

const list: CommandDefinition = {
  usage: "list",
  summary: "List what people did and what they were refused, newest first",
  examples: ["runbookd audit list"],
  remote: true,
  async run(_args, invocation) {
    const client = await createApiClient(invocation);
    const answer = await client.get("/api/audit?limit=100", pageSchema(auditRecordSchema));
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else if (answer.body.items.length === 0) invocation.context.write("No records.\n");
    else {
      const rows = answer.body.items.map(({ at, by, kind, subject, detail }) => [
        formatInstant(at),
        oneLine(by),
        kind,
        oneLine(subject),
        oneLine(JSON.stringify(detail)).slice(0, 120),
      ]);
      invocation.context.write(renderTable([["AT", "BY", "WHAT", "SUBJECT", "DETAIL"], ...rows]));
    }
    return exitCodes.ok;
  },
};

const verify: CommandDefinition = {
  usage: "verify [run]",
  summary: "Recompute every hash chain, or one run's; answers 1 and names the first broken record when one is",
  examples: ["runbookd audit verify", "runbookd audit verify run_01K0ABC"],
  remote: true,
  async run([run], invocation) {
    const client = await createApiClient(invocation);
    const query = run === undefined ? "" : `?run=${encodeURIComponent(run)}`;
    const answer = await client.get(`/api/audit/verify${query}`, auditVerdictSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { ok, runs, entries, broken } = answer.body;
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else if (broken !== undefined) {
      const where = broken.run === undefined ? "the audit log" : `run ${oneLine(broken.run)}`;
      invocation.context.warn(`Broken: ${where}, record ${broken.index}: ${oneLine(broken.what)}.\n`);
    } else invocation.context.write(`Every chain holds: ${runs} run(s), ${entries} record(s).\n`);
    return ok ? exitCodes.ok : exitCodes.no;
  },
};
