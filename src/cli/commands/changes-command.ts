import { z } from "zod";
import { changeKinds, newChangeSchema, workloadChangeSchema } from "../../../packages/sdk/src/wire/changes.ts";
import { costDimensions } from "../../../packages/sdk/src/wire/cost-dimension.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { durationGrammar, parseDuration } from "../../core/duration.ts";
import { oneLine } from "../../core/one-line.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption, listOption, textOption } from "../define-command.ts";
import { formatInstant } from "../render-run.ts";

/** `runbookd changes …`: what was changed about the workload. */
export function changesCommands(): readonly CommandDefinition[] {
  return [addCommand, listCommand];
}

const addCommand: CommandDefinition = {
  usage: "add <kind> <what>",
  summary: `Record a change that is made now; <kind> is ${changeKinds.join(", ")}`,
  examples: ["runbookd changes add deploy 'release 1.5.0'", "runbookd changes add route 'triage to a smaller model' --of prompt=triage"],
  options: [
    {
      flags: "--of <name=value>",
      description: `what it concerns, as usage reports name it; may be repeated: ${costDimensions.join(", ")}`,
      collect: true,
    },
  ],
  remote: true,
  async run([kind, ref], invocation) {
    const { context } = invocation;
    const pairs = listOption(invocation, "of").map((text) => [
      text.slice(0, Math.max(0, text.indexOf("="))),
      text.slice(text.indexOf("=") + 1),
    ]);
    const change = newChangeSchema.safeParse({ kind, ref, dims: Object.fromEntries(pairs) });
    if (!change.success) {
      context.warn(`${z.prettifyError(change.error)}\n`);
      return exitCodes.usage;
    }
    const client = await createApiClient(invocation);
    const answer = await client.post("/api/changes", change.data, workloadChangeSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else context.write(`Recorded at ${formatInstant(answer.body.at)}: ${oneLine(answer.body.ref)}.\n`);
    return exitCodes.ok;
  },
};

const listCommand: CommandDefinition = {
  usage: "list",
  summary: "List the newest changes, oldest first",
  examples: ["runbookd changes list", "runbookd changes list --since 2h"],
  options: [{ flags: "--since <duration>", description: "no older ones", default: "7d" }],
  remote: true,
  async run(_args, invocation) {
    const { context } = invocation;
    const since = textOption(invocation, "since") ?? "7d";
    const ms = parseDuration(since);
    if (ms === undefined) {
      context.warn(`--since must be ${durationGrammar}; it is ${oneLine(since)}.\n`);
      return exitCodes.usage;
    }
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/changes?from=${context.clock.now() - ms}`, pageSchema(workloadChangeSchema));
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { items } = answer.body;
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else if (items.length === 0)
      context.write("No change was told. A release tells its own with POST /api/changes (docs/cost-attribution.md).\n");
    else {
      const rows = items.map(({ at, kind, ref, by, dims }) => {
        const of = Object.entries(dims).map(([name, value]) => `${name} ${value}`);
        return [formatInstant(at), kind, ref, of.join(", "), by];
      });
      context.write(renderTable([["AT", "KIND", "WHAT", "OF", "BY"], ...rows]));
    }
    return exitCodes.ok;
  },
};
