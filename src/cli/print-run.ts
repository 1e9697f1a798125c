import { type RunRecord, runRecordSchema } from "../../packages/sdk/src/wire/journal.ts";
import { oneLine } from "../core/one-line.ts";
import { type ApiClient, addressedServer, createApiClient, reportFailure } from "./api-client.ts";
import { type CommandContext, type ExitCode, exitCodes, paint, writeJson } from "./context.ts";
import { type CommandInvocation, flagOption } from "./define-command.ts";
import { type FollowedFeed, followFeed } from "./follow-feed.ts";
import { describeEntry, renderOpenQuestion } from "./render-run.ts";

/** Columns of a terminal that every line fits into. */
export const terminalColumns = 80;

const pausesMs = { live: 15_000, cut: 2000 } as const;

/**
 * Prints what a run does until it has ended, and answers 0 when it succeeded, else 1. `--json`: one entry per line, then the outcome. A server that
 * goes away is waited for; nothing is printed twice. Interrupted: 1, and the run continues.
 */
export async function printRun(id: string, invocation: CommandInvocation): Promise<ExitCode> {
  const client = await createApiClient(invocation);
  const feed = followFeed(await addressedServer(invocation), invocation.context);
  try {
    return await printUntilEnd({ id, client, feed }, invocation);
  } finally {
    feed.stop();
  }
}

interface Following {
  readonly id: string;
  readonly client: ApiClient;
  readonly feed: FollowedFeed;
}

async function printUntilEnd({ id, client, feed }: Following, invocation: CommandInvocation): Promise<ExitCode> {
  const { context } = invocation;
  const isJson = flagOption(invocation, "json");
  let printed = 0;
  let isCut = false;
  while (!context.signal.aborted) {
    const answer = await client.get(`/api/runs/${encodeURIComponent(id)}`, runRecordSchema);
    if (context.signal.aborted) break;
    const isAway = answer.kind === "unreachable" || (answer.kind === "problem" && answer.status >= 500);
    if (answer.kind !== "ok" && (!isAway || printed === 0)) return reportFailure(invocation, answer);
    if (isAway && !isCut) context.warn("The server does not answer; trying again.\n");
    if (!isAway && isCut) context.warn("Connected again.\n");
    isCut = isAway;
    if (answer.kind === "ok") {
      const { summary, journal } = answer.body;
      if (printed === 0 && !isJson) context.write(headOf(answer.body, context));
      for (const entry of journal.slice(printed)) {
        if (isJson) writeJson(context, entry);
        else context.write(`${lineOf(`${timeOf(entry.at)}  ${entry.kind.padEnd(9)} ${describeEntry(entry)}`, context)}\n`);
        if (entry.kind === "asked" && !isJson) context.write(renderOpenQuestion(entry.question));
      }
      printed = journal.length;
      if (summary.state === "ended") return endOf(answer.body, invocation);
    }
    await untilNews(feed, id, isCut);
  }
  return exitCodes.no;
}

/** Waits until something happened to the run, or long enough to look at it in any case. */
async function untilNews(feed: FollowedFeed, id: string, isCut: boolean): Promise<void> {
  for (;;) {
    const news = await feed.next(isCut ? pausesMs.cut : pausesMs.live);
    if (news === undefined || (news.event !== "run" && news.event !== "freeze")) return;
    if (news.event === "run" && news.data.id === id) return;
  }
}

function headOf({ summary: { id, runbookId, target } }: RunRecord, context: CommandContext): string {
  return `${lineOf(oneLine(`Run ${id}: ${runbookId}${target === undefined ? "" : ` on ${target}`}`), context)}\n`;
}

function endOf({ summary }: RunRecord, invocation: CommandInvocation): ExitCode {
  const { context } = invocation;
  const { id, outcome = "unknown", note: reason = "" } = summary;
  const isGood = outcome === "succeeded";
  if (flagOption(invocation, "json")) writeJson(context, { runId: id, outcome, reason });
  else context.write(`${paint(context, isGood ? "green" : "red", outcome)}${reason === "" ? "" : `: ${oneLine(reason)}`}\n`);
  return isGood ? exitCodes.ok : exitCodes.no;
}

function timeOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "-" : date.toISOString().slice(11, 19);
}

/** A line as it is; on a terminal cut to its width, so that each entry stays one line. */
export function lineOf(text: string, { isTerminal }: Pick<CommandContext, "isTerminal">): string {
  return isTerminal && text.length > terminalColumns - 1 ? `${text.slice(0, terminalColumns - 2)}…` : text;
}
