import { type Batch, batchSchema, batchViewSchema } from "../../../packages/sdk/src/wire/batches.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { formatUsd } from "../../core/money.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption, textOption } from "../define-command.ts";
import { countsOf, stateOf } from "../render-batch.ts";
import { createBatch } from "./create-batch.ts";
import { limitBatch } from "./limit-batch.ts";
import { showBatch } from "./show-batch.ts";

/** `runbookd batches …`: batches of tickets and their gates. */
export function batchesCommands(): readonly CommandDefinition[] {
  return [createBatch, list, showBatch, submit, limitBatch, ...["pause", "resume", "cancel"].map((name) => verb(name))];
}

const list: CommandDefinition = {
  usage: "list",
  summary: "List batches, newest first",
  examples: ["runbookd batches list"],
  remote: true,
  options: [
    { flags: "--limit <count>", description: "how many", default: "20" },
    { flags: "--cursor <cursor>", description: "continue behind the page whose answer held it" },
  ],
  async run(_args, invocation) {
    const query = new URLSearchParams({ limit: textOption(invocation, "limit") ?? "20" });
    const cursor = textOption(invocation, "cursor");
    if (cursor !== undefined) query.set("cursor", cursor);
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/batches?${query.toString()}`, pageSchema(batchSchema));
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { items, nextCursor } = answer.body;
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else invocation.context.write(items.length === 0 ? "No batches.\n" : renderTable([header, ...items.map(row)]));
    if (nextCursor !== undefined && !flagOption(invocation, "json")) invocation.context.write(`More: --cursor ${nextCursor}\n`);
    return exitCodes.ok;
  },
};

const submit: CommandDefinition = {
  usage: "submit <batch>",
  summary: "Make a draft run, if its budget has room for what it will probably cost at most",
  examples: ["runbookd batches submit nightly-2026-01-31"],
  remote: true,
  async run([id = ""], invocation) {
    const client = await createApiClient(invocation);
    const answer = await client.post(`/api/batches/${encodeURIComponent(id)}/submit`, undefined, batchViewSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else invocation.context.write(`${answer.body.id} runs; ${formatUsd(answer.body.reservedMicroUsd)} is reserved for it.\n`);
    return exitCodes.ok;
  },
};

const verbs: { readonly [name: string]: { readonly summary: string; readonly reason: string } } = {
  pause: {
    summary: "Let nothing of it begin or go on; tickets in flight stop at their next turn with their work saved",
    reason: "the target is down",
  },
  resume: { summary: "Let it go on where it stood; its budget's gate stays as it is", reason: "the target is back" },
  cancel: {
    summary: "End it for good: what waits is cancelled, what is in flight stops at its next turn with its work saved",
    reason: "wrong list",
  },
};

function verb(name: string): CommandDefinition {
  const { summary = "", reason = "" } = verbs[name] ?? {};
  return {
    usage: `${name} <batch>`,
    summary,
    examples: [`runbookd batches ${name} nightly-2026-01-31 --reason '${reason}'`],
    remote: true,
    options: [{ flags: "--reason <text>", description: "shown to everybody who asks for admission", default: "from the command line" }],
    async run([id = ""], invocation) {
      const client = await createApiClient(invocation);
      const body = { reason: textOption(invocation, "reason") };
      const answer = await client.post(`/api/batches/${encodeURIComponent(id)}/${name}`, body, batchViewSchema);
      if (answer.kind !== "ok") return reportFailure(invocation, answer);
      const { state, gate } = answer.body;
      if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
      else invocation.context.write(`${answer.body.id} is ${state === "open" && gate === "paused" ? "paused" : state}.\n`);
      return exitCodes.ok;
    },
  };
}

const header = ["BATCH", "BUDGET", "QUEUE", "STATE", "SPENT", "TICKETS"];

function row(batch: Batch): readonly string[] {
  return [batch.id, batch.budget, batch.queue, stateOf(batch), formatUsd(batch.spentMicroUsd), countsOf(batch)];
}
