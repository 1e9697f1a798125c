import type { z } from "zod";
import { type budgetCorrectionSchema, correctedUsageSchema, spendRowSchema } from "../../../packages/sdk/src/wire/budgets.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { usageEventSchema } from "../../../packages/sdk/src/wire/usage.ts";
import { durationGrammar, parseDuration } from "../../core/duration.ts";
import { formatUsd, oneUsd } from "../../core/money.ts";
import { oneLine } from "../../core/one-line.ts";
import { latestEvents } from "../../llm/usage/latest-events.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { type ExitCode, exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, type CommandInvocation, flagOption, textOption } from "../define-command.ts";
import { formatInstant } from "../render-run.ts";

/** `runbookd budgets …`: what was spent of a budget, and what a person knows better. */
export function budgetsCommands(): readonly CommandDefinition[] {
  return [spendCommand];
}

/** Newest events among which the command looks for uncertain costs. */
const newestEvents = 2000;

const spendCommand: CommandDefinition = {
  usage: "spend <budget>",
  summary: "Show what a budget was spent on, or set the cost of one report that is estimated or in conflict",
  examples: [
    "runbookd budgets spend checkout --since 24h",
    "runbookd budgets spend checkout --uncertain",
    "runbookd budgets spend checkout --correct msg_01ABC --provider anthropic --cost 0.0421 --reason 'as on the invoice'",
  ],
  options: [
    { flags: "--since <duration>", description: "only spend that is no older", default: "24h" },
    { flags: "--uncertain", description: "list the newest reports whose cost is an estimate or in conflict, with their ids" },
    { flags: "--correct <id>", description: "set the cost of the report, or of the turn without a report, that has this id" },
    { flags: "--provider <provider>", description: "with --correct: the report's provider; `unreported` for a turn without a report" },
    { flags: "--cost <usd>", description: "with --correct: what it cost in USD, with up to six digits after the point" },
    { flags: "--reason <text>", description: "with --correct: why it cost that, which is kept with the report" },
  ],
  remote: true,
  async run([budget = ""], invocation) {
    const id = textOption(invocation, "correct");
    if (id !== undefined) return correct(budget, id, invocation);
    return flagOption(invocation, "uncertain") ? listUncertain(budget, invocation) : showSpend(budget, invocation);
  },
};

async function correct(budget: string, usageId: string, invocation: CommandInvocation): Promise<ExitCode> {
  const { context } = invocation;
  const [provider, cost, reason] = [textOption(invocation, "provider"), textOption(invocation, "cost"), textOption(invocation, "reason")];
  if (provider === undefined || reason === undefined || cost === undefined || !/^\d{1,6}(?:\.\d{1,6})?$/.test(cost)) {
    context.warn("--correct needs --provider, --reason and --cost; the cost is an amount in USD such as 0.0421.\n");
    return exitCodes.usage;
  }
  const body: z.input<typeof budgetCorrectionSchema> = { provider, usageId, reason, costMicroUsd: Math.round(Number(cost) * oneUsd) };
  const client = await createApiClient(invocation);
  const answer = await client.post(`/api/budgets/${encodeURIComponent(budget)}/corrections`, body, correctedUsageSchema);
  if (answer.kind !== "ok") return reportFailure(invocation, answer);
  if (flagOption(invocation, "json")) writeJson(context, answer.body);
  else {
    const { event, changeMicroUsd } = answer.body;
    const change = changeMicroUsd < 0 ? `${formatUsd(-changeMicroUsd)} less than before` : `${formatUsd(changeMicroUsd)} more than before`;
    context.write(`${oneLine(usageId)} of ${oneLine(provider)} costs ${formatUsd(event.costMicroUsd)} now, ${change}.\n`);
  }
  return exitCodes.ok;
}

async function listUncertain(budget: string, invocation: CommandInvocation): Promise<ExitCode> {
  const { context } = invocation;
  const client = await createApiClient(invocation);
  const answer = await client.get(`/api/usage?limit=${newestEvents}`, pageSchema(usageEventSchema));
  if (answer.kind !== "ok") return reportFailure(invocation, answer);
  const isUncertain = ({ estimated, conflict }: { readonly estimated?: string; readonly conflict?: string }) =>
    estimated !== undefined || conflict !== undefined;
  const latest = latestEvents(answer.body.items.toReversed());
  const items = latest.filter((event) => event.budget === budget && isUncertain(event)).toReversed();
  if (flagOption(invocation, "json")) writeJson(context, { items });
  else if (items.length === 0) context.write(`No cost of the newest ${newestEvents} reports is an estimate or in conflict.\n`);
  else {
    const rows = items.map((event) => [
      formatInstant(event.at),
      event.provider,
      event.id,
      formatUsd(event.costMicroUsd),
      [event.estimated, event.conflict, event.anomaly, event.unpriced].filter((word) => word !== undefined).join(", "),
    ]);
    context.write(renderTable([["AT", "PROVIDER", "ID", "CHARGED", "WHY"], ...rows]));
  }
  return exitCodes.ok;
}

async function showSpend(budget: string, invocation: CommandInvocation): Promise<ExitCode> {
  const { context } = invocation;
  const since = textOption(invocation, "since") ?? "24h";
  const ms = parseDuration(since);
  if (ms === undefined) {
    context.warn(`--since must be ${durationGrammar}; it is ${oneLine(since)}.\n`);
    return exitCodes.usage;
  }
  const now = context.clock.now();
  const client = await createApiClient(invocation);
  const path = `/api/budgets/${encodeURIComponent(budget)}/spend?from=${now - ms}&to=${now}`;
  const answer = await client.get(path, pageSchema(spendRowSchema));
  if (answer.kind !== "ok") return reportFailure(invocation, answer);
  const { items } = answer.body;
  if (flagOption(invocation, "json")) writeJson(context, answer.body);
  else if (items.length === 0) context.write(`Nothing was spent of ${oneLine(budget)} in the last ${since}.\n`);
  else {
    const rows = items.map((row) => [
      row.prompt,
      row.operation,
      `${row.provider}/${row.model}`,
      formatUsd(row.costMicroUsd),
      row.estimatedMicroUsd === 0 ? "" : formatUsd(row.estimatedMicroUsd),
      String(row.requests),
    ]);
    context.write(renderTable([["PROMPT", "OPERATION", "MODEL", "COST", "ESTIMATED", "REQUESTS"], ...rows]));
  }
  return exitCodes.ok;
}
