import { quantile } from "../statistics.ts";
import { delaysBesideMails } from "./edge-invariants.ts";
import { type FaultKind, faultKinds } from "./faults.ts";
import type { History } from "./history.ts";
import { duplicatesOf, invariants, residualsOf, unorderedAttempts } from "./invariants.ts";

/** What was counted beside the history. */
export interface Counts {
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** Kinds that could not be run, with the reason. */
  readonly notRun: ReadonlyMap<FaultKind, string>;
  /** Writes that Redis refused because their token or head was old. */
  readonly fenced: number;
  /** Webhooks that were not answered 202 and were sent again. */
  readonly refused: number;
  /** Milliseconds; see resumeTimes. */
  readonly resumes: readonly number[];
  /** Deliveries of mails that the mail server held up with a byte every now and then. */
  readonly trickled: number;
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

/** Judges the histories of several stores: every invariant of each, and the numbers that the promises name. */
export function judge(histories: readonly History[], counts: Counts): Verdict {
  const found = Object.entries(invariants).map(([name, { says, check }]) => ({ name, says, wrong: histories.flatMap(check) }));
  const all = <Item>(of: (history: History) => readonly Item[]): readonly Item[] => histories.flatMap(of);
  const [runs, arrivals, notices] = [all((one) => one.runs), all((one) => one.arrivals), all((one) => one.notices)];
  const duplicates = all((one) => duplicatesOf(one.arrivals));
  const residuals = new Set(all(residualsOf));
  const lost = found.find(({ name }) => name === "I1")?.wrong.length ?? 0;
  const unordered = all(unorderedAttempts);
  const sent = notices.filter(({ state }) => state === "sent").length;
  const delays = all(delaysBesideMails);
  const slowest = Math.max(0, ...counts.resumes);
  const faults = [...counts.faults.values()].reduce((sum, count) => sum + count, 0);
  const outcomes = new Map<string, number>();
  for (const { entries, state } of runs) {
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
    ...faultKinds.map((kind) => [`  ${kind}`, timesOf(kind, counts)] as const),
    ["alerts answered 202", `${all((one) => one.accepted).length} (${counts.refused} sent again)`],
    ["runs", `${runs.length}: ${[...outcomes].map(([name, count]) => `${count} ${name}`).join(", ")}`],
    ["effects that reached the target", String(arrivals.length)],
    ...effects.map((effect) => {
      const of = arrivals.filter((one) => one.effect === effect);
      return [`  ${effect}: arrived / applied`, `${of.length} / ${of.filter(({ applied }) => applied).length}`] as const;
    }),
    ...(["keyed", "set", "probed"] as const).map((effect) => [`duplicates of ${effect} effects`, duplicatesIn(effect)] as const),
    ["opaque steps attempted again without a person", String(unordered.length)],
    ["values set / taken back / planted by others", valuesOf(all((one) => one.writes))],
    ["notifications sent / given up", `${sent} / ${notices.filter(({ state }) => state === "gave_up").length}`],
    ["  mails held up by bytes without an answer", String(counts.trickled)],
    ["  to other lanes at that time", delays.length === 0 ? "none" : `${delays.length}, p50 ${quantile(delays, 0.5)} ms`],
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

function timesOf(kind: FaultKind, { faults, notRun }: Counts): string {
  const times = faults.get(kind) ?? 0;
  return times > 0 ? String(times) : `not run: ${notRun.get(kind) ?? "the time was over, or there was nothing to do it to"}`;
}

function valuesOf(writes: History["writes"]): string {
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
