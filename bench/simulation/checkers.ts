import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import { genesisHead, nextHead } from "../../src/core/journal.ts";
import type { Arrival, Freeze, History, KillSwitch, RunRecord } from "../chaos/history.ts";
import { invariants } from "../chaos/invariants.ts";
import { judgeAnswers } from "./answer-rules.ts";
import type { SimulatedStore } from "./simulated-store.ts";
import type { SimulatedArrival, SimulatedTarget } from "./simulated-target.ts";
import type { Violation } from "./violation.ts";
import type { SentAnswer } from "./world.ts";

/** What a world tells its checker beside what is in the store and at the target. */
export interface Watched {
  readonly store: SimulatedStore;
  readonly target: SimulatedTarget;
  /** Place of the present step in the order of the world, times ten: a clock that never shows one time twice. */
  readonly sequence: () => number;
  /** UTC milliseconds of the world. */
  readonly now: () => number;
  /** UTC milliseconds of the store's clock, which may be set. */
  readonly storeNow: () => number;
  readonly answersSent: readonly SentAnswer[];
  readonly targetOf: (runId: string) => string;
  /** Whether the run needs the permission of a person for this step. */
  readonly needsPermission: (runId: string, step: string) => boolean;
  /** Steps of the bytes that the run was started with. */
  readonly stepsOf: (runId: string) => readonly string[];
  readonly accepted: readonly string[];
  /** Times at which a call of a process that was stopped reached a port. */
  readonly stops: readonly Freeze[];
  readonly killSwitches: readonly KillSwitch[];
  /** When a person asked for a stop of a run. */
  readonly stopsAsked: ReadonlyMap<string, number>;
  /** Effects per window of real time; undefined: the clock of the store jumps, and the windows with it. */
  readonly limit: { readonly max: number; readonly windowMs: number } | undefined;
}

/** Looks at the world after a step. */
export interface Checker {
  /** Everything that is wrong now. */
  check(): readonly Violation[];
  /** The same, and that nothing accepted is missing; called when all has come to rest. */
  checkEnd(): readonly Violation[];
}

interface Timed {
  readonly journal: readonly JournalEntry[];
  /** With the places at which the entries were written. */
  readonly placed: JournalEntry[];
  readonly writtenAt: number[];
  /** When they were written, by the clock of the store. */
  readonly storeTimes: number[];
  head: string;
}

interface Judged extends RunRecord {
  readonly timed: Timed;
  readonly storedHead: string;
  /** What of the target's list it was judged with. */
  readonly arrivals: number;
}

/** After every step in which its journal or what reached the target of it has changed; each is of one run alone. */
const ofOneRun = ["I2", "I3", "I4", "I6", "I9", "I10", "G11"] as const;

/** A checker that keeps what it has seen, so that a step costs what has changed. */
export function createChecker(watched: Watched): Checker {
  const { store, target } = watched;
  const records = new Map<string, Judged>();
  const arrivalsOf = new Map<string, SimulatedArrival[]>();
  let arrivals = 0;
  let writes = 0;

  const place = (journal: readonly JournalEntry[], before: Timed): Timed => {
    if (before.journal === journal) return before;
    // A store that has lost writes is shorter, or has other entries at its end.
    let kept = 0;
    while (kept < before.journal.length && kept < journal.length && before.journal[kept] === journal[kept]) kept += 1;
    const isWhole = kept === before.journal.length;
    const { placed, writtenAt, storeTimes } = before;
    for (const list of [placed, writtenAt, storeTimes]) list.length = kept;
    let head = isWhole ? before.head : genesisHead;
    if (!isWhole) for (const entry of journal.slice(0, kept)) head = nextHead(head, JSON.stringify(entry));
    for (const entry of journal.slice(kept)) {
      head = nextHead(head, JSON.stringify(entry));
      placed.push({ ...entry, at: watched.sequence() });
      writtenAt.push(watched.now());
      storeTimes.push(watched.storeNow());
    }
    return { journal, placed, writtenAt, storeTimes, head };
  };

  /** The runs of which something is new. */
  const refresh = (): readonly Judged[] => {
    for (; arrivals < target.arrivals.length; arrivals += 1) {
      const arrival = target.arrivals[arrivals];
      if (arrival === undefined) continue;
      const list = arrivalsOf.get(arrival.run);
      if (list === undefined) arrivalsOf.set(arrival.run, [arrival]);
      else list.push(arrival);
    }
    const changed: Judged[] = [];
    for (const [id, row] of store.state.rows) {
      const before = records.get(id);
      const count = arrivalsOf.get(id)?.length ?? 0;
      const isSame =
        before !== undefined && before.timed.journal === row.journal && before.storedHead === row.head && before.arrivals === count;
      if (before?.state !== row.state && isSame) records.set(id, { ...before, state: row.state });
      if (isSame) continue;
      const timed = place(row.journal, before?.timed ?? { journal: [], placed: [], writtenAt: [], storeTimes: [], head: genesisHead });
      const about = { id, state: row.state, target: watched.targetOf(id), head: row.head, texts: [], entries: timed.placed };
      const record = { ...about, timed, storedHead: row.head, arrivals: count };
      records.set(id, record);
      changed.push(record);
    }
    return changed;
  };

  const historyOf = (runs: readonly RunRecord[], more: Partial<History> = {}): History => ({
    accepted: watched.accepted.map((runId) => ({ fingerprint: runId, runId, askedAt: 0, answeredAt: 0 })),
    runs,
    arrivals: [],
    freezes: watched.stops,
    killSwitches: watched.killSwitches,
    writes: target.writes,
    unfit: [],
    names: [],
    storeClocks: [],
    offsets: [],
    orphanings: [],
    notices: [],
    trickles: [],
    outages: [],
    limit: { max: Number.POSITIVE_INFINITY, windowMs: 1 },
    needsApproval: [],
    ...more,
  });

  const judgeRun = (run: Judged, add: (rule: string, list: readonly string[]) => void): void => {
    const all = arrivalsOf.get(run.id) ?? [];
    const steps = watched.stepsOf(run.id);
    const needsApproval = steps.filter((step) => watched.needsPermission(run.id, step));
    const history = historyOf([run], { needsApproval, arrivals: all });
    for (const rule of ofOneRun) {
      const { check } = invariants[rule] ?? { check: () => [`there is no invariant ${rule}`] };
      add(rule, check(rule === "I3" ? { ...history, arrivals: withoutLate(all) } : history));
    }
    if (run.timed.head !== run.storedHead) add("I5", [`the chain of ${run.id} is broken`]);
    const asked = watched.stopsAsked.get(run.id) ?? Number.POSITIVE_INFINITY;
    let ends = 0;
    const withoutResult = new Set<string>();
    for (const entry of run.entries) {
      if (entry.kind === "finished") ends += 1;
      if (entry.kind === "applied") withoutResult.delete(entry.step);
      if (entry.kind === "completed" && withoutResult.has(entry.step))
        add("result", [`${entry.step} of ${run.id} is completed, and the journal does not say what its effect has answered`]);
      if (entry.kind !== "intent") continue;
      const { step, at } = entry;
      withoutResult.add(step);
      if (!steps.includes(step)) add("G9", [`${run.id} attempts ${step}, which is not in its document`]);
      if (at > asked) add("stop", [`${step} of ${run.id} was begun after a person had stopped the run`]);
    }
    if (ends > 1) add("end", [`${run.id} ended ${ends} times`]);
    const { storeTimes } = run.timed;
    for (const { rule, what } of judgeAnswers({ id: run.id, entries: run.entries, storeTimes }, watched.answersSent)) add(rule, [what]);
  };

  const judge = (changed: readonly Judged[], isEnd: boolean): readonly Violation[] => {
    const violations: Violation[] = [];
    const add = (rule: string, list: readonly string[]) => {
      for (const what of list) violations.push({ rule, what });
    };
    for (const run of changed) judgeRun(run, add);
    const runs = [...records.values()];
    const history = historyOf(runs);
    if (runs.length > 1) add("I7", invariants["I7"]?.check(history) ?? []);
    add("key", target.keyFaults);
    add("I8", beyondLimit(runs, watched.limit));
    const ghosts = isEnd ? [...arrivalsOf.keys()].filter((id) => !records.has(id)) : [];
    add(
      "I10",
      ghosts.map((id) => `${id} reached the target and is not in the store`),
    );
    if (isEnd) add("I1", invariants["I1"]?.check(history) ?? []);
    return violations;
  };

  return {
    check() {
      const changed = refresh();
      if (changed.length === 0 && writes === target.writes.length) return [];
      writes = target.writes.length;
      return judge(changed, false);
    },
    checkEnd() {
      refresh();
      return judge([...records.values()], true);
    },
  };
}

/**
 * Bytes that a network held and those of a stopped process arrive in no order: no stop can recall them (G11). What else they may do is judged by the other
 * rules.
 */
function withoutLate(arrivals: readonly SimulatedArrival[]): readonly Arrival[] {
  return arrivals.filter(({ isLate }) => !isLate);
}

/** First intents of attempts within one window of the bucket. */
function beyondLimit(runs: readonly Judged[], limit: Watched["limit"]): readonly string[] {
  if (limit === undefined) return [];
  const attempts = new Map<string, number>();
  for (const { id, timed } of runs) {
    for (const [index, entry] of timed.journal.entries()) {
      const attempt = entry.kind === "intent" ? `${id} ${entry.step} ${entry.attempt}` : "";
      if (attempt !== "" && !attempts.has(attempt)) attempts.set(attempt, timed.writtenAt[index] ?? 0);
    }
  }
  // As many as the bucket holds in two windows break no rule, whenever they were.
  if (attempts.size <= 2 * limit.max) return [];
  const times = [...attempts.values()].sort((a, b) => a - b);
  // The window of the bucket begins with its first claim, so that any window of that length meets two of them at most.
  const worst = Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + limit.windowMs).length));
  return worst > 2 * limit.max ? [`${worst} effects within ${limit.windowMs} ms, the limit is ${limit.max}`] : [];
}
