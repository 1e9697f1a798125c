import { oneLine } from "../core/one-line.ts";
import type { AskedShape, JournalEntryShape, RunSummaryShape } from "./api-shapes.ts";
import { renderTable } from "./context.ts";

/** `2026-01-31 12:00:00Z` of an instant. */
export function formatInstant(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "-" : `${date.toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** A list of runs as a table. */
export function renderRuns(runs: readonly RunSummaryShape[]): string {
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
export function renderRun(summary: RunSummaryShape, journal: readonly JournalEntryShape[]): string {
  const head: readonly (readonly [string, string | undefined])[] = [
    ["run", summary.id],
    ["runbook", summary.runbookId],
    ["target", summary.target],
    ["alert", summary.alertName],
    ["mode", summary.mode],
    ["state", summary.outcome === undefined ? summary.state : `${summary.state}: ${summary.outcome}`],
    ["accepted", formatInstant(summary.acceptedAt)],
    ["ended", summary.endedAt === undefined ? undefined : formatInstant(summary.endedAt)],
    ["note", summary.note],
  ];
  const known = head.filter((row): row is readonly [string, string] => row[1] !== undefined);
  const lines = journal.map((entry) => [formatInstant(entry.at), entry.kind, describeEntry(entry)]);
  return `${renderTable(known)}\n${renderTable(lines)}`;
}

/** Open questions as a table, each with the answers it permits. */
export function renderQuestions(asked: readonly AskedShape[]): string {
  if (asked.length === 0) return "No open questions.\n";
  const rows = asked.map(({ question, missing = 1 }) => [
    question.id,
    question.kind,
    `${question.runbookId}/${question.stepId}`,
    question.answers.join(" | "),
    question.of === undefined || question.of === 1 ? "-" : `${missing} of ${question.of}`,
    question.text,
  ]);
  return renderTable([["QUESTION", "KIND", "STEP", "ANSWERS", "MISSING", "TEXT"], ...rows]);
}

/** What a journal entry says, in one line; unknown kinds show their fields. */
export function describeEntry(entry: JournalEntryShape): string {
  const { kind: _kind, at: _at, epoch: _epoch, ...fields } = entry;
  const step = text(fields["step"]);
  switch (entry.kind) {
    case "claimed":
      return `by ${text(fields["worker"])}`;
    case "intent":
      return `${step}: ${text(member(fields["plan"], "summary"))} (attempt ${text(fields["attempt"])})`;
    case "applied":
    case "completed":
      return fields["output"] === undefined ? step : `${step}: ${JSON.stringify(fields["output"])}`;
    case "failed":
    case "undo_failed":
      return `${step}: ${text(member(fields["failure"], "message"))}`;
    case "skipped":
    case "retried":
      return `${step}: ${text(fields["why"])}`;
    case "checked":
      return `${text(member(fields["subject"], "kind"))} ${text(member(fields["subject"], "step") ?? member(fields["subject"], "index"))}: ${text(fields["truth"])}, ${text(fields["detail"])}`;
    case "preflight":
      return `${text(fields["standing"])}: ${text(fields["detail"])}`;
    case "suspended":
      return `until ${formatInstant(Number(fields["until"]))}: ${text(fields["why"])}`;
    case "asked":
      return `${text(member(fields["question"], "kind"))}: ${text(member(fields["question"], "text"))}`;
    case "escalated":
      return "half of the time is over; announced to more people";
    case "answered":
      return `${text(member(fields["answer"], "answer"))} by ${text(member(fields["answer"], "by"))}: ${text(member(fields["answer"], "reason"))}`;
    case "refused":
      return `${step}: ${text(fields["guardrail"])}, ${text(fields["reason"])}`;
    case "frozen":
      return `${step}: ${text(fields["scope"])} by ${text(fields["by"])}, ${text(fields["reason"])}`;
    case "concluded":
    case "finished":
      return `${text(fields["outcome"])}: ${text(fields["reason"])}`;
    case "accepted":
      return `runbook ${text(member(fields["request"], "runbookId"))}, mode ${text(member(fields["request"], "mode"))}, source ${text(member(fields["request"], "source"))}`;
    default:
      return oneLine(JSON.stringify(fields)).slice(0, 300);
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

function text(value: unknown): string {
  if (typeof value === "string") return oneLine(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return value === undefined ? "-" : oneLine(JSON.stringify(value));
}
