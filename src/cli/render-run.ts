import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { AskedQuestion, Question, QuestionSubject } from "../../packages/sdk/src/wire/questions.ts";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { describeLabels } from "../core/describe-labels.ts";
import { describePlan } from "../core/describe-plan.ts";
import { oneLine } from "../core/one-line.ts";
import { renderTable } from "./context.ts";

/** `2026-01-31 12:00:00Z` of an instant. */
export function formatInstant(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "-" : `${date.toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** A list of runs as a table. */
export function renderRuns(runs: readonly RunSummary[]): string {
  if (runs.length === 0) return "No runs.\n";
  const rows = runs.map((run) => [
    run.id,
    run.runbookId,
    run.target ?? "-",
    run.outcome ?? run.state,
    formatInstant(run.acceptedAt),
    run.step ?? run.note ?? "",
  ]);
  return renderTable([["RUN", "RUNBOOK", "TARGET", "STATE", "ACCEPTED", "STEP"], ...rows]);
}

/** One run: what it is, then its journal line by line. */
export function renderRun(summary: RunSummary, journal: readonly JournalEntry[]): string {
  const head: readonly (readonly [string, string | undefined])[] = [
    ["run", summary.id],
    ["runbook", summary.runbookId],
    ["target", summary.target],
    ["alert", summary.alertName],
    ["mode", summary.mode],
    ["state", summary.outcome === undefined ? summary.state : `${summary.state}: ${summary.outcome}`],
    ["accepted", formatInstant(summary.acceptedAt)],
    ["ended", summary.endedAt === undefined ? undefined : formatInstant(summary.endedAt)],
    ["step", summary.outcome === undefined ? summary.step : undefined],
    ["note", summary.note],
  ];
  const open = openQuestionOf(summary, journal);
  const definedRows = head.filter((row): row is readonly [string, string] => row[1] !== undefined);
  const lines = journal.map((entry) => [formatInstant(entry.at), entry.kind, describeEntry(entry)]);
  return `${renderTable(definedRows)}${open === undefined ? "" : `\n${renderOpenQuestion(open)}`}\n${renderTable(lines)}`;
}

/** The question that the run waits for; an ended run waits for none. */
function openQuestionOf(summary: RunSummary, journal: readonly JournalEntry[]): Question | undefined {
  if (summary.state === "ended") return undefined;
  const answered = new Set(journal.flatMap((entry) => (entry.kind === "answered" ? [entry.questionId] : [])));
  const last = journal.findLast((entry) => entry.kind === "asked");
  return last?.kind === "asked" && !answered.has(last.question.id) ? last.question : undefined;
}

/** A question with the command for each of its answers. */
export function renderOpenQuestion({ id, kind, text, answers, expiresAt, about }: Question): string {
  const until = expiresAt === undefined ? "" : ` until ${formatInstant(expiresAt)}`;
  const subject = about === undefined ? [] : [`  ${describeSubject(about)}`];
  const commands = answers.map((answer) => `  runbookd approvals answer ${shellWord(id)} ${shellWord(answer)} --reason '…'`);
  return [`Waits for a person${until}: question ${id} (${kind})`, `  ${oneLine(text)}`, ...subject, ...commands, ""].join("\n");
}

/** One word for a shell, whatever it holds. */
function shellWord(text: string): string {
  return /^[\w.-]+$/u.test(text) ? text : `'${oneLine(text).replaceAll("'", String.raw`'\''`)}'`;
}

/** Open questions as a table, each with the answers it permits. */
export function renderQuestions(asked: readonly AskedQuestion[]): string {
  if (asked.length === 0) return "No open questions.\n";
  const rows = asked.map(({ question, missing }) => [
    question.id,
    question.kind,
    `${question.runbookId}/${question.stepId}`,
    question.answers.join(" | "),
    question.of === undefined || question.of === 1 ? "-" : `${missing} of ${question.of}`,
    question.expiresAt === undefined ? "-" : formatInstant(question.expiresAt),
    question.text,
  ]);
  const subjects = asked.flatMap(({ question: { id, about } }) =>
    about === undefined ? [] : [`\n${oneLine(id)}: ${describeSubject(about)}\n`],
  );
  const plans = asked.flatMap(({ question: { id, plan, planSha = "" } }) =>
    plan === undefined
      ? []
      : [
          `\n${oneLine(id)}, plan ${planSha}:\n${describePlan(plan)
            .map((line) => `  ${line}\n`)
            .join("")}`,
        ],
  );
  return `${renderTable([["QUESTION", "KIND", "STEP", "ANSWERS", "MISSING", "EXPIRES", "TEXT"], ...rows])}${subjects.join("")}${plans.join("")}`;
}

/** Target, alert, summary and labels on one line. */
function describeSubject({ target, alertName, summary, labels = {} }: QuestionSubject): string {
  const parts = [
    ...(target === undefined ? [] : [`target ${oneLine(target)}`]),
    ...(alertName === undefined ? [] : [`alert ${oneLine(alertName)}`]),
    ...(Object.keys(labels).length === 0 ? [] : [describeLabels(labels)]),
    ...(summary === undefined ? [] : [oneLine(summary)]),
  ];
  return parts.join("; ");
}

/** What a journal entry says, in one line; kinds that this version does not know show their fields. */
export function describeEntry(entry: JournalEntry): string {
  return oneLine(sentenceOf(entry));
}

function sentenceOf(entry: JournalEntry): string {
  switch (entry.kind) {
    case "accepted":
      return `runbook ${entry.request.runbookId}, mode ${entry.request.mode}, source ${entry.request.source}`;
    case "claimed":
      return `by ${entry.worker}`;
    case "intent":
      return `${entry.step}: ${entry.plan.summary} (attempt ${entry.attempt})`;
    case "applied":
      return `${entry.step}: ${JSON.stringify(entry.output)}`;
    case "completed":
      return entry.step;
    case "failed":
    case "undo_failed":
      return `${entry.step}: ${entry.failure.message}`;
    case "skipped":
    case "retried":
      return `${entry.step}: ${entry.why}`;
    case "checked":
      return `${entry.subject.kind} ${entry.subject.kind === "expected" ? entry.subject.step : entry.subject.index}: ${entry.truth}, ${entry.detail}`;
    case "preflight":
      return `${entry.standing}: ${entry.detail}`;
    case "joined":
      return entry.repeats.length === 0 ? entry.why : `${entry.why} Done again: ${entry.repeats.join(", ")}`;
    case "suspended":
      return `until ${formatInstant(entry.until)}: ${entry.why}`;
    case "asked":
      return `${entry.question.kind}: ${entry.question.text}`;
    case "escalated":
      return "half of the time is over; announced to more people";
    case "answered":
      return `${entry.answer.answer} by ${entry.answer.by}: ${entry.answer.reason}`;
    case "refused":
      return `${entry.step}: ${entry.guardrail}, ${entry.reason}`;
    case "frozen":
      return `${entry.step}: ${entry.scope} by ${entry.by}, ${entry.reason}`;
    case "concluded":
    case "finished":
      return `${entry.outcome}: ${entry.reason}`;
    case "sampled":
    case "progressed":
    case "jumped":
    case "resolved":
    case "stop_requested":
    case "undo_started":
    case "undo_intent":
    case "undone":
    default: {
      const { kind: _kind, at: _at, epoch: _epoch, ...fields } = entry;
      return JSON.stringify(fields).slice(0, 300);
    }
  }
}
