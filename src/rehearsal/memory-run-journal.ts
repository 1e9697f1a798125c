import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Answer, Consent, Question } from "../../packages/sdk/src/wire/questions.ts";
import type { RunRequest, RunState, RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import type { Clock } from "../core/clock.ts";
import { isFrozenBy } from "../core/freeze.ts";
import { genesisHead, nextHead, parseRecord } from "../core/journal.ts";
import type { Claim } from "../core/verdict.ts";
import type { Append, Notices, RunJournal } from "../runs/store.ts";

interface Row {
  state: RunState;
  epoch: number;
  token?: string;
  leaseUntil: number;
  wakeAt: number;
  releasedAt: number;
  woken: boolean;
  stalls: number;
  head: string;
  /** Replaced at each write, never changed. */
  journal: readonly JournalEntry[];
  summary: Partial<RunSummary>;
  notices: Notices;
  joined?: { readonly count: number; readonly why: string };
  joinsClaimed: number;
  /** What the run waits for; empty after it has gone on. */
  question?: string;
}

interface Bucket {
  readonly used: number;
  readonly until: number;
  readonly windowMs: number;
}

/** What all views of one journal share. */
export interface MemoryRunState {
  readonly rows: Map<string, Row>;
  readonly locks: Map<string, string>;
  readonly buckets: Map<string, Bucket>;
  readonly logs: Map<string, readonly string[]>;
  /** Open ones. */
  readonly questions: Map<string, Question>;
  /** All that were ever asked, and what was answered or consented to. */
  readonly asked: Map<string, Question>;
  readonly answers: Map<string, Answer>;
  readonly consents: Map<string, readonly Consent[]>;
  readonly freezes: Map<string, Freeze>;
  readonly frozenRuns: Set<string>;
  /** Counts claims; makes each token unique. */
  nonce: number;
}

/** A journal without runs. */
export function emptyRunState(): MemoryRunState {
  return {
    rows: new Map(),
    locks: new Map(),
    buckets: new Map(),
    logs: new Map(),
    questions: new Map(),
    asked: new Map(),
    answers: new Map(),
    consents: new Map(),
    freezes: new Map(),
    frozenRuns: new Set(),
    nonce: 0,
  };
}

/** A ledger in memory with the manners of the real one, and doors for a test. */
export interface MemoryRunJournal extends RunJournal {
  /** Another worker's view of the same runs. */
  asWorker(): MemoryRunJournal;
  create(runId: string, request: RunRequest): void;
  journal(runId: string): readonly JournalEntry[];
  /** The entries of a log that claims have written. */
  log(name: string): readonly string[];
  state(runId: string): RunState | undefined;
  /** What the changes of the run have said of it so far. */
  summary(runId: string): Partial<RunSummary> | undefined;
  questions(): readonly Question[];
  /** What `answer.lua` does; the permitted answers are the caller's care. */
  answer(questionId: string, answer: string, by?: string): void;
  notice(runId: string, notices: Notices): void;
  /** Another alert has joined the run. */
  join(runId: string, why: string): void;
  freeze(freeze: Freeze): void;
  /** Lifts the freeze of a scope and wakes what it held back. */
  unfreeze(scope: string): void;
  /** Ends the lease as if its time were over. */
  expireLease(runId: string): void;
}

/** All entries are copied through JSON, as Redis would. */
export function createMemoryRunJournal(clock: Clock, leaseMs = 6000, shared: MemoryRunState = emptyRunState()): MemoryRunJournal {
  const { rows } = shared;
  const rowOf = (runId: string): Row => {
    const row = rows.get(runId);
    if (row === undefined) throw new Error(`No run ${runId}.`);
    return row;
  };

  const push = (row: Row, texts: readonly string[]): void => {
    if (texts.length === 0) return;
    row.head = texts.reduce(nextHead, row.head);
    row.journal = [...row.journal, ...texts.flatMap((text) => parseRecord(text))];
  };

  /** Undefined: its window is over. One of which more than all is left began before the clock was set back, and begins anew. */
  const bucketOf = (name: string): Bucket | undefined => {
    const bucket = shared.buckets.get(name);
    if (bucket === undefined || bucket.until <= clock.now()) return undefined;
    const current = { ...bucket, until: Math.min(bucket.until, clock.now() + bucket.windowMs) };
    shared.buckets.set(name, current);
    return current;
  };

  const refusedClaim = (claims: readonly Claim[], runId: string) => {
    for (const claim of claims) {
      if ("lock" in claim) {
        const holder = shared.locks.get(claim.lock);
        if (holder !== undefined && holder !== runId) return { claim, holder };
      } else if ("bucket" in claim) {
        const bucket = bucketOf(claim.bucket);
        if ((bucket?.used ?? 0) + claim.amount > claim.max) return { claim, ...(bucket !== undefined && { retryAt: bucket.until }) };
      }
    }
    return undefined;
  };

  const take = (claims: readonly Claim[], runId: string): void => {
    for (const claim of claims) {
      if ("lock" in claim) {
        shared.locks.set(claim.lock, runId);
        continue;
      }
      if ("log" in claim) {
        shared.logs.set(claim.log, [...(shared.logs.get(claim.log) ?? []), claim.entry].slice(-50));
        continue;
      }
      const { windowMs, amount } = claim;
      const bucket = bucketOf(claim.bucket) ?? { used: 0, until: clock.now() + windowMs, windowMs };
      shared.buckets.set(claim.bucket, { ...bucket, used: bucket.used + amount });
    }
  };

  const settle = (row: Row, runId: string, change: Append): void => {
    row.state = change.state;
    row.stalls = 0;
    row.summary = { ...row.summary, ...change.summary };
    const { question } = change;
    if (question !== undefined) {
      shared.asked.set(question.id, question);
      shared.questions.set(question.id, question);
    }
    if (change.release === undefined) {
      // As the script: extended only after a sixth of it has passed, or shortened after the clock was set back.
      const remaining = row.leaseUntil - clock.now();
      if (remaining < (leaseMs * 5) / 6 || remaining > leaseMs) row.leaseUntil = clock.now() + leaseMs;
      return;
    }
    // A run that is only handed over to another worker still waits for its question.
    if (change.state !== "queued" && (row.question !== undefined || question !== undefined)) {
      if (row.question !== question?.id) shared.questions.delete(row.question ?? "");
      row.question = question?.id ?? "";
    }
    delete row.token;
    row.leaseUntil = 0;
    row.wakeAt = change.release.dueAt ?? -1;
    row.releasedAt = Math.max(clock.now(), change.release.at ?? 0);
    if (change.state === "ended") {
      for (const [lock, holder] of shared.locks) if (holder === runId) shared.locks.delete(lock);
      for (const { bucket, forMs } of change.cooldowns ?? []) {
        // The start may have claimed a longer one, doubled by its repeats: that one stays.
        const remainingMs = (bucketOf(bucket)?.until ?? 0) - clock.now();
        const windowMs = Math.max(forMs, remainingMs);
        shared.buckets.set(bucket, { used: 1, until: clock.now() + windowMs, windowMs });
      }
    } else if (
      (row.notices.stop !== undefined && !change.recordedNotices.stop) ||
      (row.notices.resolved !== undefined && !change.recordedNotices.resolved) ||
      (row.joined?.count ?? 0) !== row.joinsClaimed
    ) {
      row.woken = true;
    }
  };

  return {
    leaseMs,
    asWorker: () => createMemoryRunJournal(clock, leaseMs, shared),
    create(runId, request) {
      const row: Row = {
        state: "queued",
        epoch: 0,
        leaseUntil: 0,
        wakeAt: 0,
        releasedAt: 0,
        woken: false,
        stalls: 0,
        head: genesisHead,
        journal: [],
        summary: {},
        notices: {},
        joinsClaimed: 0,
      };
      push(row, [JSON.stringify({ at: clock.now(), kind: "accepted", runId, request })]);
      rows.set(runId, row);
    },
    log: (name) => shared.logs.get(name) ?? [],
    journal: (runId) => rowOf(runId).journal,
    state: (runId) => rows.get(runId)?.state,
    summary: (runId) => rows.get(runId)?.summary,
    questions: () => [...shared.questions.values()],
    answer(questionId, answer, by = "ann") {
      const question = shared.questions.get(questionId);
      if (question === undefined) throw new Error(`No open question ${questionId}.`);
      shared.questions.delete(questionId);
      const row = rowOf(question.runId);
      push(row, [JSON.stringify({ at: clock.now(), kind: "answered", questionId, answer: { answer, by, reason: "", at: clock.now() } })]);
      row.woken = true;
      row.stalls = 0;
    },
    notice(runId, notices) {
      const row = rowOf(runId);
      if (row.state === "ended") return;
      row.notices = { ...row.notices, ...notices };
      if (row.state !== "running") row.woken = true;
    },
    join(runId, why) {
      const row = rowOf(runId);
      row.joined = { count: (row.joined?.count ?? 0) + 1, why };
      if (row.state !== "running") row.woken = true;
    },
    freeze(freeze) {
      shared.freezes.set(freeze.scope, freeze);
    },
    unfreeze(scope) {
      shared.freezes.delete(scope);
      for (const runId of shared.frozenRuns) {
        const row = rowOf(runId);
        if (row.state !== "running" && row.state !== "ended") row.woken = true;
      }
      shared.frozenRuns.clear();
    },
    expireLease(runId) {
      rowOf(runId).leaseUntil = 0;
    },
    async claim(runId) {
      const row = rows.get(runId);
      if (row === undefined) return { refused: "unknown_run" };
      if (row.state === "ended") return { refused: "ended" };
      // A lease that ends later than one that begins now was given before the clock was set back: it is over.
      if (row.leaseUntil > clock.now() && row.leaseUntil <= clock.now() + leaseMs) return { refused: "leased" };
      const asleep = row.state === "suspended" || row.state === "in_doubt";
      // A wait that begins later than now began before the clock was set back: the engine tells what is left of it.
      const isWaiting = row.wakeAt < 0 || (row.wakeAt > clock.now() && row.releasedAt <= clock.now() + 1000);
      if (asleep && !row.woken && isWaiting) return { refused: "waiting" };
      shared.nonce += 1;
      row.epoch = Math.max(row.epoch + 1, clock.now());
      row.token = `${row.epoch}:${shared.nonce}:${Math.trunc(clock.monotonic())}`;
      row.leaseUntil = clock.now() + leaseMs;
      row.state = "running";
      row.woken = false;
      row.stalls += 1;
      row.joinsClaimed = row.joined?.count ?? 0;
      return {
        lease: { runId, token: row.token, epoch: row.epoch },
        journal: row.journal,
        head: row.head,
        stalls: row.stalls,
        notices: row.notices,
        ...(row.joined !== undefined && { joined: row.joined }),
      };
    },
    async append(lease, change) {
      const row = rowOf(lease.runId);
      const texts = change.entries.map((entry) => JSON.stringify(entry));
      if (row.token !== lease.token || row.state === "ended") return { kind: "fenced" };
      // The worker repeats a write whose reply was lost.
      const isRepeated = row.head !== change.head && texts.length > 0 && row.head === texts.reduce(nextHead, change.head);
      if (isRepeated) return { kind: "ok", head: row.head, notices: row.notices };
      if (row.head !== change.head) return { kind: "fenced" };
      if (change.precedes === "effect" && row.notices.stop !== undefined && !change.recordedNotices.stop)
        return { kind: "stopped", notices: row.notices };
      const query = change.freeze;
      const freeze = query === undefined ? undefined : [...shared.freezes.values()].find((standing) => isFrozenBy(query, standing));
      if (freeze !== undefined) {
        shared.frozenRuns.add(lease.runId);
        return { kind: "frozen", freeze };
      }
      const refused = refusedClaim(change.claims, lease.runId);
      if (refused !== undefined) return { kind: "claim_refused", ...refused };
      take(change.claims, lease.runId);
      push(row, texts);
      settle(row, lease.runId, change);
      return { kind: "ok", head: row.head, notices: row.notices };
    },
    async renew(lease) {
      const row = rowOf(lease.runId);
      const renewed = row.token === lease.token && row.leaseUntil >= clock.now();
      if (renewed) row.leaseUntil = clock.now() + leaseMs;
      return { renewed, notices: renewed ? row.notices : {} };
    },
  };
}
