import type { QuestionStore } from "../../src/approvals/question-store.ts";
import type { Clock } from "../../src/core/clock.ts";
import { createMemoryQuestions } from "../../src/rehearsal/memory-questions.ts";
import {
  createMemoryRunJournal,
  emptyRunState,
  type MemoryRunJournal,
  type MemoryRunState,
} from "../../src/rehearsal/memory-run-journal.ts";
import type { RunJournal } from "../../src/runs/store.ts";
import type { Operations } from "./operations.ts";
import { recordedJournal, type StoreCall, type TimedCall } from "./store-calls.ts";

/** How the store keeps what was written. */
export interface Durability {
  /** Asks with WAIT whether a write reached the replica. */
  readonly replicas: boolean;
  /** The store loses writes at a restart; runs must not be claimed and effects must not begin meanwhile. */
  isUnfit: boolean;
}

/** The one store of a world, and what happens to it. */
export interface SimulatedStore {
  readonly state: MemoryRunState;
  readonly memory: MemoryRunJournal;
  readonly durability: Durability;
  /** The journal as one process of the worker `worker` reaches it. */
  journalOf(process: number, worker: { readonly name: string; readonly clock: Pick<Clock, "now"> }): RunJournal;
  /** Questions and answers as one process reaches them. */
  questionsOf(process: number): QuestionStore;
  /** Runs that a sweep finds. */
  due(limit: number): readonly string[];
  /** What a worker that starts again does with the leases of its name. */
  reclaim(worker: string): void;
  /** What was written is on the replica as well, as after an accept or a freeze. */
  confirm(): void;
  /** The replica takes over; of what it does not have surely, the last `lost` writes are gone. */
  failOver(lost: number): void;
  /** How many writes a failover could lose. */
  readonly unconfirmed: number;
}

/** Wraps the store of one process; a mutant is one. */
export type JournalWrapper = (journal: RunJournal, world: Pick<SimulatedStore, "state" | "memory">) => RunJournal;

/** Wraps the questions of one process; a mutant is one. */
export type QuestionsWrapper = (questions: QuestionStore, world: Pick<SimulatedStore, "state">) => QuestionStore;

/** Milliseconds for which a worker has a run without renewing its lease. */
export const leaseMs = 6000;

/** An empty store by the clock of its own server. `wrap` stands where the scripts are, inside of the network. */
export function createSimulatedStore(
  clock: Clock,
  {
    operations,
    replicas,
    wrap = (journal) => journal,
    wrapQuestions = (questions) => questions,
    record,
    isBlind = false,
  }: {
    readonly operations: Operations;
    readonly replicas: boolean;
    readonly wrap?: JournalWrapper;
    readonly wrapQuestions?: QuestionsWrapper;
    /** Workers do not see that the store is unfit. */
    readonly isBlind?: boolean | undefined;
    /** Hears every call that reaches the store. */
    readonly record?: ((call: TimedCall) => void) | undefined;
  },
): SimulatedStore {
  const state = emptyRunState();
  const heard = (call: StoreCall): void => record?.({ ...call, at: clock.now() });
  const plain = createMemoryRunJournal(clock, leaseMs, state);
  const memory = record === undefined ? plain : recordedJournal(plain, heard);
  const scripts = wrap(memory, { state, memory });
  const questions = wrapQuestions(createMemoryQuestions(clock, state), { state });
  const owners = new Map<string, { readonly worker: string; readonly token: string }>();
  const durability: Durability = { replicas, isUnfit: false };
  /** The replica surely has the first of these; each write adds one. Empty: nothing can be lost. */
  let history: MemoryRunState[] = [copyOf(state)];
  let life = 0;

  const changed = (): void => {
    // One fit store syncs each write before it replies.
    if (replicas || durability.isUnfit) history.push(copyOf(state));
    else history.length = 0;
  };
  const isSeenUnfit = (): boolean => durability.isUnfit && !isBlind;
  const confirm = (): void => {
    history = [copyOf(state)];
  };

  return {
    state,
    memory,
    durability,
    confirm,
    get unconfirmed() {
      return Math.max(0, history.length - 1);
    },
    journalOf(process, { name: worker, clock: workerClock }) {
      /** As the client of Redis: after a write that is not on the replica, no effect begins before a later one is. */
      let isBehind = false;
      const wait = async (since: number, runId: string): Promise<boolean> => {
        if (!replicas) return true;
        return operations.call({ process, port: "journal", label: `wait ${runId}` }, async () => {
          if (since !== life) return false;
          confirm();
          return true;
        });
      };
      return {
        leaseMs,
        async claim(runId) {
          const claimed = await operations.call({ process, port: "journal", label: `claim ${runId}` }, async () => {
            const result = await scripts.claim(runId);
            if ("refused" in result) return result;
            owners.set(runId, { worker, token: result.lease.token });
            changed();
            return result;
          });
          // As in production: its lease ends as that of a worker that died.
          return !("refused" in claimed) && isSeenUnfit() ? { refused: "leased" } : claimed;
        },
        async renew(lease) {
          return operations.call({ process, port: "journal", label: `renew ${lease.runId}` }, async () => scripts.renew(lease));
        },
        async append(lease, change) {
          const precedes = change.precedes !== undefined;
          if (precedes && isSeenUnfit()) return { kind: "unreplicated" };
          if (precedes && isBehind) {
            isBehind = !(await wait(life, lease.runId));
            if (isBehind) return { kind: "unreplicated" };
          }
          const since = life;
          const label = `append ${lease.runId} ${change.entries.map(({ kind }) => kind).join("+")}`;
          const result = await operations.call({ process, port: "journal", label }, async () => {
            const written = await scripts.append(lease, change);
            if (written.kind === "ok") changed();
            return written;
          });
          // The scripts reply with how long it takes, because the two clocks may differ.
          if (result.kind === "claim_refused" && result.retryAt !== undefined)
            return { ...result, retryAt: workerClock.now() + Math.max(1, result.retryAt - clock.now()) };
          if (result.kind !== "ok") return result;
          if ((change.entries.length > 0 && !isBehind) || precedes) isBehind = !(await wait(since, lease.runId));
          const isUnsafe = isBehind || (precedes && isSeenUnfit());
          return isUnsafe && result.unreplicated !== false ? { ...result, unreplicated: true } : result;
        },
      };
    },
    questionsOf: (process) => ({
      read: async (id) => questions.read(id),
      standing: async (about, withConsents) => questions.standing(about, withConsents),
      async record(write) {
        const { question, request } = write;
        const label = `answer ${question.id} ${question.kind} ${request.answer} by ${request.by}`;
        return operations.call({ process, port: "journal", label }, async () => {
          heard({ kind: "answer", write });
          const reply = await questions.record(write);
          if (reply === "ok" || reply === "recorded") changed();
          return reply;
        });
      },
    }),
    due(limit) {
      if (isSeenUnfit()) return [];
      const now = clock.now();
      return [...state.rows].flatMap(([id, row]) => (isDue(row, now) ? [id] : [])).slice(0, limit);
    },
    reclaim(worker) {
      for (const [runId, row] of state.rows) {
        const owner = owners.get(runId);
        if (owner?.worker === worker && row.token === owner.token) memory.expireLease(runId);
      }
    },
    failOver(lost) {
      life += 1;
      const kept = history[Math.max(0, history.length - 1 - lost)];
      if (kept !== undefined) {
        restore(state, kept);
        heard({ kind: "lost" });
      }
      confirm();
    },
  };
}

type Row = MemoryRunState["rows"] extends Map<string, infer Value> ? Value : never;

function isDue({ state, woken, wakeAt, releasedAt, leaseUntil }: Row, now: number): boolean {
  if (state === "ended") return false;
  if (state === "running") return leaseUntil <= now || leaseUntil > now + leaseMs;
  if (state === "queued") return wakeAt <= now || wakeAt > now + leaseMs;
  return woken || (wakeAt >= 0 && (wakeAt <= now || releasedAt > now + 1000));
}

/** Journals and entries are never changed, so that they are not copied. */
function copyOf(state: MemoryRunState): MemoryRunState {
  return {
    rows: new Map([...state.rows].map(([id, row]) => [id, { ...row }])),
    locks: new Map(state.locks),
    buckets: new Map([...state.buckets].map(([name, bucket]) => [name, { ...bucket }])),
    logs: new Map(state.logs),
    questions: new Map(state.questions),
    asked: new Map(state.asked),
    answers: new Map(state.answers),
    consents: new Map(state.consents),
    freezes: new Map(state.freezes),
    frozenRuns: new Set(state.frozenRuns),
    nonce: state.nonce,
  };
}

/** A nonce is random in production, so that it is never given again. */
function restore(state: MemoryRunState, kept: MemoryRunState): void {
  const { nonce } = state;
  const copy = copyOf(kept);
  replace(state.rows, copy.rows);
  replace(state.locks, copy.locks);
  replace(state.buckets, copy.buckets);
  replace(state.logs, copy.logs);
  replace(state.questions, copy.questions);
  replace(state.asked, copy.asked);
  replace(state.answers, copy.answers);
  replace(state.consents, copy.consents);
  replace(state.freezes, copy.freezes);
  state.frozenRuns.clear();
  for (const id of copy.frozenRuns) state.frozenRuns.add(id);
  state.nonce = nonce;
}

function replace<Key, Value>(map: Map<Key, Value>, by: ReadonlyMap<Key, Value>): void {
  map.clear();
  for (const [key, value] of by) map.set(key, value);
}
