import type { Command } from "commander";
import { formatUsd } from "../../core/money.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { batchSchema, pageSchema, type BatchShape } from "../api-shapes.ts";
import { exitCodes, renderTable, writeJson, type CommandContext } from "../context.ts";
import { defineCommand, defineGroup, flagOption, textOption, type CommandDefinition, type ExitSink } from "../define-command.ts";

/** `runbookd batches …`: batches of tickets and their gates. */
export function batchesCommand(context: CommandContext, exit: ExitSink): Command {
  const members = [list, show, gate("pause"), gate("resume")].map((member) => defineCommand(member, context, exit));
  return defineGroup("batches", "Read batches of tickets, and open or close their own gates", members);
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

const show: CommandDefinition = {
  usage: "show <batch>",
  summary: "Show one batch with its tickets by state",
  examples: ["runbookd batches show nightly-2026-01-31"],
  remote: true,
  async run([id = ""], invocation) {
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/batches/${encodeURIComponent(id)}`, batchSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else invocation.context.write(renderTable([header, row(answer.body)]));
    return exitCodes.ok;
  },
};

function gate(verb: "pause" | "resume"): CommandDefinition {
  const open = verb === "resume";
  return {
    usage: `${verb} <batch>`,
    summary: open
      ? "Open the batch's own gate; its budget's gate stays as it is"
      : "Close the batch's own gate; tickets in flight end at their next turn",
    examples: [`runbookd batches ${verb} nightly-2026-01-31 --reason '${open ? "the target is back" : "the target is down"}'`],
    remote: true,
    options: [{ flags: "--reason <text>", description: "shown to everybody who asks for admission", default: "from the command line" }],
    async run([id = ""], invocation) {
      const client = await createApiClient(invocation);
      const body = { gate: open ? "open" : "paused", reason: textOption(invocation, "reason") };
      const answer = await client.patch(`/api/batches/${encodeURIComponent(id)}`, body, batchSchema);
      if (answer.kind !== "ok") return reportFailure(invocation, answer);
      if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
      else invocation.context.write(`The gate of ${answer.body.id} is ${answer.body.gate}.\n`);
      return exitCodes.ok;
    },
  };
}

const header = ["BATCH", "BUDGET", "QUEUE", "GATE", "SPENT", "TICKETS"];

function row(batch: BatchShape): readonly string[] {
  const counts = Object.entries(batch.counts).filter(([, count]) => count > 0);
  const tickets = counts.map(([state, count]) => `${count} ${state}`).join(", ");
  return [batch.id, batch.budget, batch.queue, batch.gate, formatUsd(batch.spentMicroUsd), tickets === "" ? "none" : tickets];
}
