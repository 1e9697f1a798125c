import { z } from "zod";
import type { JournalEntry } from "../packages/sdk/src/wire/journal.ts";
import type { ActionOutput } from "../packages/sdk/src/wire/plans.ts";

/** A step that is in the journal, for people. */
export interface StepProgress {
  readonly step: string;
  readonly state: "running" | "waiting" | "done" | "skipped" | "failed" | "asks";
  readonly at: number;
}

const stateOf: { readonly [Kind in JournalEntry["kind"]]?: StepProgress["state"] } = {
  intent: "running",
  applied: "running",
  progressed: "waiting",
  completed: "done",
  skipped: "skipped",
  failed: "failed",
  refused: "failed",
};

/** How far each step is, in the order in which the journal first names them. */
export function stepsOf(journal: readonly JournalEntry[]): readonly StepProgress[] {
  const steps = new Map<string, StepProgress>();
  for (const entry of journal) {
    const state = entry.kind === "asked" ? "asks" : stateOf[entry.kind];
    const step = entry.kind === "asked" ? entry.question.stepId : "step" in entry ? entry.step : undefined;
    if (state !== undefined && step !== undefined) steps.set(step, { step, state, at: entry.at });
  }
  return [...steps.values()];
}

/**
 * What a crash must not have done: a step that was complete began again, or an effect whose result was written was attempted again.
 * Further results without an intent between them are looks at the same effect. Undefined when the journal shows no such thing; else a sentence.
 */
export function repeatedWork(journal: readonly JournalEntry[]): string | undefined {
  const complete = new Set<string>();
  const applied = new Set<string>();
  for (const entry of journal) {
    if (entry.kind === "intent") {
      if (complete.has(entry.step)) return `Step ${entry.step} was complete and began again.`;
      if (applied.has(entry.step)) return `Step ${entry.step} had its result and was attempted again.`;
    } else if (entry.kind === "applied") {
      applied.add(entry.step);
    } else if (entry.kind === "failed" || entry.kind === "retried" || entry.kind === "progressed") {
      // A policy's next try, a person's, or the next part of a long action.
      applied.delete(entry.step);
    } else if (entry.kind === "completed") {
      complete.add(entry.step);
    }
  }
  return undefined;
}

/** The culprit that a rank-operations step named, wherever it stands in the journal. */
export function culpritOf(
  journal: readonly JournalEntry[],
): { readonly at: number; readonly prompt: string; readonly operation: string } | undefined {
  for (const entry of journal) {
    if (entry.kind !== "applied") continue;
    const culprit = entry.output["culprit"];
    if (culprit === null || typeof culprit !== "object" || !("prompt" in culprit) || !("operation" in culprit)) continue;
    const { prompt, operation } = culprit;
    if (typeof prompt === "string" && typeof operation === "string") return { at: entry.at, prompt, operation };
  }
  return undefined;
}

const causeSchema = z.object({
  segment: z.record(z.string(), z.string()),
  factor: z.string(),
  factor_share: z.number(),
  coincides: z.array(z.object({ ref: z.string() })),
  controls: z.object({ scale: z.number(), max_attempts: z.number().optional(), because: z.string() }),
});

/** Why cost rose, as a rank-operations step told it, and the limits that followed. */
export interface ReportedCause {
  readonly segment: Readonly<Record<string, string>>;
  readonly factor: string;
  /** Of the rise, 1 is all of it. */
  readonly share: number;
  /** The change that coincides best. */
  readonly coincides?: string | undefined;
  readonly controls: { readonly scale: number; readonly maxAttempts?: number; readonly because: string };
}

/** The cause that a rank-operations step told, wherever it stands in the journal. */
export function causeOf(journal: readonly JournalEntry[]): ReportedCause | undefined {
  for (const entry of journal) {
    const parsed = causeSchema.safeParse(entry.kind === "applied" ? entry.output : undefined);
    if (!parsed.success) continue;
    const { segment, factor, factor_share: share, coincides, controls } = parsed.data;
    const { scale, max_attempts: maxAttempts, because } = controls;
    const [best] = coincides;
    return {
      segment,
      factor,
      share,
      ...(best !== undefined && { coincides: best.ref }),
      controls: { scale, ...(maxAttempts !== undefined && { maxAttempts }), because },
    };
  }
  return undefined;
}

/** When the first result of an effect (anything but a read) was written. */
export function firstEffectAt(journal: readonly JournalEntry[]): number | undefined {
  const effects = new Set<string>();
  for (const entry of journal) {
    if (entry.kind === "intent" && entry.effect !== "read") effects.add(entry.step);
    if (entry.kind === "applied" && effects.has(entry.step)) return entry.at;
  }
  return undefined;
}

/** When the last verification was found true; undefined while one of them is not, or there is none. */
export function verifiedAt(journal: readonly JournalEntry[]): number | undefined {
  const latest = new Map<number, { readonly truth: string; readonly at: number }>();
  for (const entry of journal) {
    if (entry.kind === "checked" && entry.subject.kind === "verification") latest.set(entry.subject.index, entry);
  }
  const all = [...latest.values()];
  return all.length > 0 && all.every(({ truth }) => truth === "true") ? Math.max(...all.map(({ at }) => at)) : undefined;
}

/** Steps that changed something before `until`, each counted once however often it was attempted; a long action that writes again and again is left out by its name. */
export function effectsBefore(journal: readonly JournalEntry[], until: number, longAction: string): number {
  const steps = new Set<string>();
  for (const entry of journal) {
    if (entry.kind !== "intent" || entry.at >= until) continue;
    if (entry.effect !== "read" && entry.plan.changes.length > 0 && entry.action !== longAction) steps.add(entry.step);
  }
  return steps.size;
}

/** Message-IDs, without their angle brackets, of the mails that the run's own steps promised. */
export function messageIdsOf(journal: readonly JournalEntry[]): readonly string[] {
  return journal.flatMap((entry) => {
    const id = entry.kind === "applied" ? entry.output["message_id"] : undefined;
    return typeof id === "string" ? [id.replace(/^<|>$/g, "")] : [];
  });
}

/** A result that was written, and the step that it belongs to. */
export interface StepResult {
  readonly at: number;
  readonly step: string;
  readonly output: ActionOutput;
}

/** Every result of an action, in order; a step that reads its effect again has several. */
export function resultsOf(journal: readonly JournalEntry[], action: string): readonly StepResult[] {
  const steps = new Set(journal.flatMap((entry) => (entry.kind === "intent" && entry.action === action ? [entry.step] : [])));
  return journal.flatMap((entry) =>
    entry.kind === "applied" && steps.has(entry.step) ? [{ at: entry.at, step: entry.step, output: entry.output }] : [],
  );
}
