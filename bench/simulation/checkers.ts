import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import { genesisHead, nextHead } from "../../src/core/journal.ts";
import type { Arrival, Freeze, History, KillSwitch, RunRecord } from "../chaos/history.ts";
import { invariants } from "../chaos/invariants.ts";
import type { SimulatedStore } from "./simulated-store.ts";
import type { SimulatedTarget } from "./simulated-target.ts";

/** Something that must never be, found after one step of a world. */
export interface Violation {
  /** Name of the invariant. */
  readonly rule: string;
  readonly what: string;
}

/** What a world tells its checker beside what is in the store and at the target. */
export interface Watched {
  readonly store: SimulatedStore;
  readonly target: SimulatedTarget;
  /** Place of the present step in the order of the world, times ten: a clock that never shows one time twice. */
  readonly sequence: () => number;
  /** UTC milliseconds of the world. */
  readonly now: () => number;
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
  readonly entries: readonly JournalEntry[];
  /** With the places at which the entries were written. */
  readonly placed: JournalEntry[];
  readonly writtenAt: number[];
  head: string;
}

/** After every step: all but the ones that need an end. */
const everyStep = ["I2", "I3", "I4", "I6", "I7", "I9", "I10", "G11"] as const;

/** A checker that keeps what it has seen, so that a step costs what has changed. */
export function createChecker(watched: Watched): Checker {
  const { store, target } = watched;
  const timed = new Map<string, Timed>();
  let last = "";

  const place = (runId: string, journal: readonly JournalEntry[]): Timed => {
    const before = timed.get(runId) ?? { entries: [], placed: [], writtenAt: [], head: genesisHead };
    // A store that has lost writes is shorter, or has other entries at its end.
    let kept = 0;
    while (kept < before.entries.length && kept < journal.length && before.entries[kept] === journal[kept]) kept += 1;
    const isWhole = kept === before.entries.length;
    const { placed, writtenAt } = before;
    placed.length = kept;
    writtenAt.length = kept;
    let head = isWhole ? before.head : genesisHead;
    if (!isWhole) for (const entry of journal.slice(0, kept)) head = nextHead(head, JSON.stringify(entry));
    for (const entry of journal.slice(kept)) {
      head = nextHead(head, JSON.stringify(entry));
      placed.push({ ...entry, at: watched.sequence() });
      writtenAt.push(watched.now());
    }
    const next = { entries: [...journal], placed, writtenAt, head };
    timed.set(runId, next);
    return next;
  };

  const recordsOf = (): readonly (RunRecord & { readonly timed: Timed; readonly storedHead: string })[] =>
    [...store.state.rows].map(([id, row]) => {
      const at = place(id, row.journal);
      return {
        id,
        state: row.state,
        target: watched.targetOf(id),
        head: row.head,
        texts: [],
        entries: at.placed,
        timed: at,
        storedHead: row.head,
      };
    });

  const historyOf = (runs: readonly RunRecord[]): History => ({
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
  });

  const judge = (isEnd: boolean): readonly Violation[] => {
    const runs = recordsOf();
    const history = historyOf(runs);
    const violations: Violation[] = [];
    const add = (rule: string, list: readonly string[]) => violations.push(...list.map((what) => ({ rule, what })));
    for (const rule of everyStep) {
      const { check } = invariants[rule] ?? { check: () => [`there is no invariant ${rule}`] };
      if (rule === "I6") {
        for (const run of runs) {
          const needsApproval = watched.stepsOf(run.id).filter((step) => watched.needsPermission(run.id, step));
          add(rule, check({ ...history, runs: [run], needsApproval }));
        }
      } else add(rule, check({ ...history, arrivals: rule === "I3" ? withoutLate(target.arrivals) : target.arrivals }));
    }
    add(
      "I5",
      runs.flatMap(({ id, timed: { head }, storedHead }) => (head === storedHead ? [] : [`the chain of ${id} is broken`])),
    );
    add("key", target.keyFaults);
    add("I8", beyondLimit(runs, watched.limit));
    for (const run of runs) {
      const steps = watched.stepsOf(run.id);
      const asked = watched.stopsAsked.get(run.id) ?? Number.POSITIVE_INFINITY;
      const intents = run.entries.filter((entry) => entry.kind === "intent");
      add(
        "G9",
        intents.flatMap(({ step }) => (steps.includes(step) ? [] : [`${run.id} attempts ${step}, which is not in its document`])),
      );
      add(
        "stop",
        intents.flatMap(({ at, step }) => (at > asked ? [`${step} of ${run.id} was begun after a person had stopped the run`] : [])),
      );
      const ends = run.entries.filter(({ kind }) => kind === "finished").length;
      if (ends > 1) add("end", [`${run.id} ended ${ends} times`]);
    }
    if (isEnd) add("I1", invariants["I1"]?.check(history) ?? []);
    return violations;
  };

  return {
    check() {
      const lengths = [...store.state.rows.values()].map(({ head, state }) => `${head}${state}`).join();
      const now = `${lengths} ${target.arrivals.length} ${target.writes.length}`;
      if (now === last) return [];
      last = now;
      return judge(false);
    },
    checkEnd: () => judge(true),
  };
}

/**
 * Bytes that a network held and those of a stopped process arrive in no order: no stop can recall them (G11). What else they may do is judged by the other
 * rules.
 */
function withoutLate(arrivals: SimulatedTarget["arrivals"]): readonly Arrival[] {
  return arrivals.filter(({ isLate }) => !isLate);
}

/** First intents of attempts within one window of the bucket. */
function beyondLimit(runs: readonly (RunRecord & { readonly timed: Timed })[], limit: Watched["limit"]): readonly string[] {
  if (limit === undefined) return [];
  const attempts = new Map<string, number>();
  for (const { id, timed } of runs) {
    for (const [index, entry] of timed.entries.entries()) {
      const attempt = entry.kind === "intent" ? `${id} ${entry.step} ${entry.attempt}` : "";
      if (attempt !== "" && !attempts.has(attempt)) attempts.set(attempt, timed.writtenAt[index] ?? 0);
    }
  }
  const times = [...attempts.values()].sort((a, b) => a - b);
  // The window of the bucket begins with its first claim, so that any window of that length meets two of them at most.
  const worst = Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + limit.windowMs).length));
  return worst > 2 * limit.max ? [`${worst} effects within ${limit.windowMs} ms, the limit is ${limit.max}`] : [];
}
