import type { Freeze } from "../../../packages/sdk/src/wire/freezes.ts";
import { freezeSchema } from "../../../packages/sdk/src/wire/freezes.ts";
import { listSchema, pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { type AskedQuestion, askedQuestionSchema } from "../../../packages/sdk/src/wire/questions.ts";
import { type RunSummary, runSummarySchema } from "../../../packages/sdk/src/wire/runs.ts";
import { oneLine } from "../../core/one-line.ts";
import { type ApiAnswer, type ApiClient, addressedServer, createApiClient, reportFailure } from "../api-client.ts";
import { type CommandContext, type ExitCode, eraseScreen, exitCodes, paint, writeJson } from "../context.ts";
import { type CommandBody, type CommandInvocation, flagOption } from "../define-command.ts";
import { followFeed } from "../follow-feed.ts";
import { lineOf, printRun } from "../print-run.ts";

/** `runbookd watch [run]`. */
export const watchCommand: CommandBody = {
  examples: ["runbookd watch", "runbookd watch 01K0ABCDEFGHJKMNPQRSTVWXYZ", "runbookd watch --json"],
  remote: true,
  run: async ([id], invocation) => (id === undefined ? watchAll(invocation) : printRun(id, invocation)),
};

const pausesMs = { live: 15_000, cut: 2000 } as const;
const maxRuns = 12;

/** What is shown of all runs. */
interface Overview {
  /** Undefined: the role may not read questions. */
  readonly questions: readonly AskedQuestion[] | undefined;
  readonly runs: readonly RunSummary[];
  readonly freezes: readonly Freeze[];
}

type OverviewAnswer = { readonly kind: "ok"; readonly body: Overview } | Exclude<ApiAnswer<never>, { kind: "ok" }>;

/** Draws the overview again in place on a terminal; elsewhere one line for each change. Ends when a person interrupts it. */
async function watchAll(invocation: CommandInvocation): Promise<ExitCode> {
  const { context } = invocation;
  const client = await createApiClient(invocation);
  const feed = followFeed(await addressedServer(invocation), context);
  const shown = new Set<string>();
  const isJson = flagOption(invocation, "json");
  let isFirst = true;
  let isCut = false;
  try {
    while (!context.signal.aborted) {
      const answer = await readOverview(client);
      if (context.signal.aborted) break;
      if (answer.kind === "ok") {
        if (isCut) context.warn("Connected again.\n");
        print(answer.body, { context, isJson, shown });
      } else if (isFirst || (answer.kind === "problem" && answer.status < 500)) return reportFailure(invocation, answer);
      else if (!isCut) context.warn("The server does not answer; trying again. What is shown is old.\n");
      isCut = answer.kind !== "ok";
      isFirst = false;
      await feed.next(isCut ? pausesMs.cut : pausesMs.live);
    }
    return exitCodes.ok;
  } finally {
    feed.stop();
  }
}

async function readOverview(client: ApiClient): Promise<OverviewAnswer> {
  const [questions, runs, freezes] = await Promise.all([
    client.get("/api/approvals", listSchema(askedQuestionSchema)),
    client.get(`/api/runs?limit=${maxRuns}`, pageSchema(runSummarySchema)),
    client.get("/api/freeze", listSchema(freezeSchema)),
  ]);
  if (runs.kind !== "ok") return runs;
  if (freezes.kind !== "ok") return freezes;
  if (questions.kind !== "ok" && !(questions.kind === "problem" && questions.status === 403)) return questions;
  return {
    kind: "ok",
    body: {
      questions: questions.kind === "ok" ? questions.body.items : undefined,
      runs: runs.body.items,
      freezes: freezes.body.items,
    },
  };
}

interface Printing {
  readonly context: CommandContext;
  readonly isJson: boolean;
  /** Lines that were printed before. */
  readonly shown: Set<string>;
}

function print(overview: Overview, { context, isJson, shown }: Printing): void {
  if (context.isTerminal && !isJson) {
    context.write(`${eraseScreen}${renderOverview(overview, context)}`);
    return;
  }
  const lines = isJson ? factsOf(overview).map((fact) => JSON.stringify(fact)) : linesOf(overview);
  for (const line of lines) if (!shown.has(line)) context.write(`${line}\n`);
  // What is no longer true is printed again when it comes back.
  shown.clear();
  for (const line of lines) shown.add(line);
  if (isJson && lines.length === 0) writeJson(context, { kind: "nothing" });
}

/** Everything as one JSON value each. */
function factsOf({ questions = [], runs, freezes }: Overview): readonly object[] {
  return [
    ...freezes.map((freeze) => ({ kind: "freeze", freeze })),
    ...questions.map(({ question, missing }) => ({ kind: "question", question, missing })),
    ...runs.toReversed().map((run) => ({ kind: "run", run })),
  ];
}

function linesOf({ questions = [], runs, freezes }: Overview): readonly string[] {
  return [...freezes.map(freezeLine), ...questions.map(questionLine), ...runs.toReversed().map(runLine)];
}

/** The overview for a terminal of 80 columns. */
export function renderOverview({ questions, runs, freezes }: Overview, context: CommandContext): string {
  const cut = (text: string) => lineOf(text, context);
  const open = runs.filter(({ state }) => state !== "ended");
  const ended = runs.filter(({ state }) => state === "ended");
  const asked = questions ?? [];
  const title =
    questions === undefined
      ? "Your role may not read questions"
      : asked.length === 0
        ? "No question waits"
        : `${asked.length} question${asked.length === 1 ? " waits" : "s wait"} for a person`;
  const lines = [
    paint(context, asked.length > 0 ? "yellow" : "green", title),
    ...asked.flatMap((one) => [cut(`  ${questionLine(one)}`), cut(`    runbookd approvals answer ${oneLine(one.question.id)} …`)]),
    ...(freezes.length === 0 ? [] : ["", ...freezes.map((freeze) => paint(context, "yellow", cut(freezeLine(freeze))))]),
    "",
    open.length === 0 ? "No run is under way" : "Runs under way",
    ...open.map((run) => cut(`  ${runLine(run)}`)),
    ...(ended.length === 0 ? [] : ["", "Ended last"]),
    ...ended.slice(0, 5).map((run) => paint(context, run.outcome === "succeeded" ? "dim" : "red", cut(`  ${runLine(run)}`))),
  ];
  return `${lines.join("\n")}\n`;
}

function questionLine({ question: { id, text, runbookId, answers }, missing }: AskedQuestion): string {
  const more = missing > 1 ? `, ${missing} answers missing` : "";
  return oneLine(`asks ${id} (${runbookId}: ${answers.join(" | ")}${more}): ${text}`);
}

function runLine({ id, runbookId, target, state, outcome, step, note: reason }: RunSummary): string {
  const where = outcome === undefined ? step : reason;
  return oneLine(
    `${outcome ?? state} ${id} ${runbookId}${target === undefined ? "" : ` ${target}`}${where === undefined ? "" : `: ${where}`}`,
  );
}

function freezeLine({ scope, by, reason }: Freeze): string {
  return oneLine(`frozen ${scope} by ${by}: ${reason}`);
}
