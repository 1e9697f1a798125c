import { quantile } from "../statistics.ts";
import { type FaultKind, faultKinds } from "./faults.ts";
import type { History } from "./history.ts";
import { duplicatesOf, invariants, residualsOf, unorderedAttempts } from "./invariants.ts";

/** What was counted beside the history. */
export interface Counts {
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** Writes that Redis refused because their token or head was old. */
  readonly fenced: number;
  /** Webhooks that were not answered 202 and were sent again. */
  readonly refused: number;
  /** Milliseconds; see resumeTimes. */
  readonly resumes: readonly number[];
  readonly seconds: number;
}

/** The table and whether everything holds. */
export interface Verdict {
  readonly lines: readonly (readonly [string, string])[];
  readonly violations: readonly string[];
  readonly isSound: boolean;
}

const effects = ["keyed", "set", "probed", "once"] as const;
const resumeLimitMs = 8000;

/** Judges a history: every invariant, and the numbers that the promises name. */
export function judge(history: History, counts: Counts): Verdict {
  const found = Object.entries(invariants).map(([name, { says, check }]) => ({ name, says, wrong: check(history) }));
  const duplicates = duplicatesOf(history.arrivals);
  const residuals = new Set(residualsOf(history));
  const lost = invariants["I1"]?.check(history).length ?? 0;
  const unordered = unorderedAttempts(history);
  const slowest = Math.max(0, ...counts.resumes);
  const faults = [...counts.faults.values()].reduce((sum, count) => sum + count, 0);
  const outcomes = new Map<string, number>();
  for (const { entries, state } of history.runs) {
    const outcome = entries.flatMap((entry) => (entry.kind === "finished" ? [entry.outcome] : []))[0] ?? state;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  const duplicatesIn = (effect: string): string => {
    const of = duplicates.filter((one) => one.effect === effect);
    const flagged = of.filter((one) => residuals.has(one)).length;
    return `${of.length - flagged}${flagged > 0 ? ` (and ${flagged} of a process frozen between intent and send: the documented residual)` : ""}`;
  };
  const lines: (readonly [string, string])[] = [
    ["seconds", counts.seconds.toFixed(0)],
    [`faults injected`, String(faults)],
    ...faultKinds.map((kind) => [`  ${kind}`, String(counts.faults.get(kind) ?? 0)] as const),
    ["alerts answered 202", `${history.accepted.length} (${counts.refused} sent again)`],
    ["runs", `${history.runs.length}: ${[...outcomes].map(([name, count]) => `${count} ${name}`).join(", ")}`],
    ["effects that reached the target", String(history.arrivals.length)],
    ...effects.map((effect) => {
      const of = history.arrivals.filter((one) => one.effect === effect);
      return [`  ${effect}: arrived / applied`, `${of.length} / ${of.filter(({ applied }) => applied).length}`] as const;
    }),
    ...(["keyed", "set", "probed"] as const).map((effect) => [`duplicates of ${effect} effects`, duplicatesIn(effect)] as const),
    ["opaque steps attempted again without a person", String(unordered.length)],
    ["values set / taken back / planted by others", valuesOf(history)],
    ["accepted alerts lost", String(lost)],
    ["writes of zombies refused", String(counts.fenced)],
    ["resumes after a cut", String(counts.resumes.length)],
    ["  p50", counts.resumes.length === 0 ? "none" : `${quantile(counts.resumes, 0.5)} ms`],
    ["  p100", counts.resumes.length === 0 ? "none" : `${slowest} ms (limit ${resumeLimitMs} ms)`],
    ...found.map(({ name, says, wrong }) => [`${name.padEnd(3)} violations`, `${wrong.length}  (${says})`] as const),
  ];
  const violations = found.flatMap(({ name, wrong }) => wrong.map((text) => `${name}: ${text}`));
  const notes = [
    ...violations,
    ...(slowest > resumeLimitMs ? [`A run was resumed only after ${slowest} ms.`] : []),
    ...(faults > 30 && counts.fenced === 0 ? ["No write of a zombie was refused: the faults did not test the fencing."] : []),
  ];
  return { lines, violations: notes, isSound: notes.length === 0 };
}

function valuesOf({ writes }: History): string {
  const count = (kind: string): number => writes.filter((write) => write.kind === kind && write.applied).length;
  const refused = writes.filter((write) => write.kind === "undo" && !write.applied && write.found !== write.to).length;
  return `${count("set")} / ${count("undo")} / ${count("planted")} (${refused} undos met another's value and stopped)`;
}

const shown = 20;

/** The table, the first violations, and the verdict. */
export function renderVerdict({ lines, violations, isSound }: Verdict): string {
  const width = Math.max(...lines.map(([name]) => name.length));
  const table = lines.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("");
  const wrong = violations.slice(0, shown).map((text) => `  ${text}\n`);
  const more = violations.length > shown ? `  … and ${violations.length - shown} more\n` : "";
  return `${table}\n${wrong.join("")}${more}${isSound ? "Every promise held.\n" : `${violations.length} violations.\n`}`;
}
