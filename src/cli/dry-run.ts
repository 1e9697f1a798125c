import { z } from "zod";
import { type Json, jsonSchema } from "../../packages/sdk/src/wire/json.ts";
import { oneLine } from "../core/one-line.ts";
import type { ApiClient } from "./api-client.ts";
import { type JournalEntryShape, type RunSummaryShape, runRecordSchema } from "./api-shapes.ts";
import type { CommandContext } from "./context.ts";
import { formatInstant } from "./render-run.ts";

const changeSchema = z.looseObject({ target: z.string(), field: z.string(), before: jsonSchema, after: jsonSchema });
const planSchema = z.looseObject({ summary: z.string(), targets: z.array(z.string()), changes: z.array(changeSchema) });

/** What a dry run says of one step or check. */
export interface DryRunLine {
  readonly step: string;
  /** `would`: it would change something. `read`: it was done, as it only reads. `told`: people were told, which changes nothing. `skipped`: it was left out, and `text` says why. */
  readonly kind: "would" | "read" | "told" | "skipped" | "check";
  readonly text: string;
  readonly changes: readonly z.output<typeof changeSchema>[];
  readonly targets: readonly string[];
}

/** The journal of a run that only observed, as a plan. */
export function planOf(journal: readonly JournalEntryShape[]): readonly DryRunLine[] {
  const lines: DryRunLine[] = [];
  const planned = new Set<string>();
  const add = (step: string, kind: DryRunLine["kind"], text: string) => void lines.push({ step, kind, text, changes: [], targets: [] });
  for (const entry of journal) {
    const step = textOf(entry["step"]);
    switch (entry.kind) {
      case "refused": {
        const plan = planSchema.safeParse(entry["plan"]);
        if (plan.success) {
          const { summary, changes, targets } = plan.data;
          lines.push({ step, kind: "would", text: summary, changes, targets });
        } else add(step, "skipped", textOf(entry["reason"]));
        planned.add(step);
        break;
      }
      case "intent": {
        // Only telling people gets as far as an intent here.
        const plan = planSchema.safeParse(entry["plan"]);
        if (plan.success && !planned.has(step)) add(step, "told", plan.data.summary);
        planned.add(step);
        break;
      }
      case "applied":
        if (!planned.has(step)) add(step, "read", "done, as it changes nothing");
        planned.add(step);
        break;
      case "skipped":
        if (!planned.has(step)) add(step, "skipped", textOf(entry["why"]));
        break;
      case "checked": {
        const subject = z.looseObject({ kind: z.string() }).safeParse(entry["subject"]);
        const about = subject.success
          ? `${subject.data.kind} ${textOf(subject.data["step"] ?? Number(subject.data["index"]) + 1)}`
          : "check";
        add(about, "check", `${textOf(entry["truth"])} now: ${textOf(entry["detail"])}`);
        break;
      }
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

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined ? "-" : JSON.stringify(value);
}

const lookEveryMs = 250;

/** Follows a run to its end, at most `patienceMs`. `unfinished` when it goes on, or the API's own refusal. */
export async function followRun(client: ApiClient, runId: string, context: Pick<CommandContext, "clock" | "signal">, patienceMs: number) {
  const until = context.clock.monotonic() + patienceMs;
  for (;;) {
    const answer = await client.get(`/api/runs/${encodeURIComponent(runId)}`, runRecordSchema);
    if (answer.kind !== "ok") return answer;
    const { summary, journal } = answer.body;
    if (summary.state === "ended") return { kind: "ended" as const, summary, journal };
    if (context.clock.monotonic() >= until || context.signal.aborted) return { kind: "unfinished" as const, summary };
    await context.clock.sleep(lookEveryMs, context.signal);
  }
}

/** Why a dry run has no plan yet. */
export function describeUnfinished(summary: RunSummaryShape): string {
  return `The dry run ${summary.id} is ${summary.state}${summary.note === undefined ? "" : ` (${oneLine(summary.note)})`}; follow it: runbookd runs show ${summary.id}\n`;
}
