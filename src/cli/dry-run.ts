import { type JournalEntry, runRecordSchema } from "../../packages/sdk/src/wire/journal.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { Change } from "../../packages/sdk/src/wire/plans.ts";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { oneLine } from "../core/one-line.ts";
import type { ApiClient } from "./api-client.ts";
import type { CommandContext } from "./context.ts";
import { formatInstant } from "./render-run.ts";

/** What a dry run says of one step or check. */
export interface DryRunLine {
  readonly step: string;
  /** `would`: it would change something. `read`: it was done, as it only reads. `told`: people were told, which changes nothing. `skipped`: it was left out, and `text` says why. */
  readonly kind: "would" | "read" | "told" | "skipped" | "check";
  readonly text: string;
  readonly changes: readonly Change[];
  readonly targets: readonly string[];
}

/** The journal of a run that only observed, as a plan. */
export function planOf(journal: readonly JournalEntry[]): readonly DryRunLine[] {
  const lines: DryRunLine[] = [];
  const planned = new Set<string>();
  const add = (step: string, kind: DryRunLine["kind"], text: string) => void lines.push({ step, kind, text, changes: [], targets: [] });
  for (const entry of journal) {
    if (entry.kind === "refused") {
      const { step, plan } = entry;
      if (plan === undefined) add(step, "skipped", entry.reason);
      else lines.push({ step, kind: "would", text: plan.summary, changes: plan.changes, targets: plan.targets });
      planned.add(step);
    } else if (entry.kind === "checked") {
      const { subject, truth, detail } = entry;
      add(`${subject.kind} ${subject.kind === "expected" ? subject.step : subject.index + 1}`, "check", `${truth} now: ${detail}`);
    } else if (entry.kind === "skipped") {
      if (!planned.has(entry.step)) add(entry.step, "skipped", entry.why);
    } else if (entry.kind === "intent" || entry.kind === "applied") {
      // Only telling people gets as far as an intent here.
      const [kind, text] =
        entry.kind === "intent" ? (["told", entry.plan.summary] as const) : (["read", "done, as it changes nothing"] as const);
      if (!planned.has(entry.step)) add(entry.step, kind, text);
      planned.add(entry.step);
    }
  }
  return lines;
}

/** The plan for people: before → after, and the blast radius at its end. */
export function renderPlan(lines: readonly DryRunLine[], reason: string): string {
  const width = Math.max(0, ...lines.map(({ kind }) => kind.length));
  const rows = lines.flatMap(({ step, kind, text, changes }) => [
    `${kind.padEnd(width)}  ${oneLine(step)}: ${oneLine(text)}`,
    ...changes.map(
      ({ target, field, before, after }) =>
        `${" ".repeat(width)}    ${oneLine(target)} ${oneLine(field)}: ${valueOf(field, before)} → ${valueOf(field, after)}`,
    ),
  ]);
  const would = lines.filter(({ kind }) => kind === "would");
  const targets = [...new Set(would.flatMap((line) => line.targets))];
  const radius =
    would.length === 0
      ? "Nothing would be changed."
      : `Blast radius: ${targets.length} target${targets.length === 1 ? "" : "s"} (${targets.map(oneLine).join(", ")}), ${would.length} step${would.length === 1 ? "" : "s"} would change them.`;
  return `${[...rows, radius, `Nothing was changed. ${oneLine(reason)}`].join("\n")}\n`;
}

/** An instant reads better as a time. */
function valueOf(field: string, value: Json): string {
  return typeof value === "number" && /(?:Until|Before|At)$/.test(field) ? formatInstant(value) : oneLine(JSON.stringify(value));
}

const pollIntervalMs = 250;
/** A plan only reads, so it is ready within moments; the list of runs shows one that takes longer. */
const planTimeoutMs = 120_000;

/** Follows a dry run to its end, at most two minutes. `unfinished` when it goes on, or the API's own refusal. */
export async function followDryRun(client: ApiClient, runId: string, context: Pick<CommandContext, "clock" | "signal">) {
  const until = context.clock.monotonic() + planTimeoutMs;
  for (;;) {
    const answer = await client.get(`/api/runs/${encodeURIComponent(runId)}`, runRecordSchema);
    if (answer.kind !== "ok") return answer;
    const { summary, journal } = answer.body;
    if (summary.state === "ended") return { kind: "ended" as const, summary, journal };
    if (context.clock.monotonic() >= until || context.signal.aborted) return { kind: "unfinished" as const, summary };
    await context.clock.sleep(pollIntervalMs, context.signal);
  }
}

/** Why a dry run has no plan yet. */
export function describeUnfinished(summary: RunSummary): string {
  return `The dry run ${summary.id} is ${summary.state}${summary.note === undefined ? "" : ` (${oneLine(summary.note)})`}; follow it: runbookd runs show ${summary.id}\n`;
}
