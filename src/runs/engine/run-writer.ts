import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import type { Question } from "../../../packages/sdk/src/wire/questions.ts";
import type { RunState, RunSummary } from "../../../packages/sdk/src/wire/runs.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import type { FreezeQuery } from "../../core/freeze.ts";
import type { Claim } from "../../core/verdict.ts";
import type { AppendResult, ClaimedRun, Lease, Notices, RunJournal } from "../store.ts";
import type { EntryBody } from "./move.ts";
import { fold, type RunView, runTimeOf, viewOf } from "./run-view.ts";

/** The lease is lost: another worker may have claimed the run. Nothing more may be written or done. */
export class LeaseLost extends Error {
  constructor(runId: string) {
    super(`The lease on ${runId} is lost.`);
    this.name = "LeaseLost";
  }
}

/** An intent may not survive: its effect or its undo must not begin. The run is released and tried again later. */
export class NotReplicated extends Error {
  constructor(runId: string) {
    super(`An intent of ${runId} is not on enough replicas, or the store is unfit.`);
    this.name = "NotReplicated";
  }
}

/** What a flush does beside writing the recorded entries. */
export interface Flush {
  readonly state?: RunState;
  readonly summary?: Partial<RunSummary>;
  readonly claims?: readonly Claim[];
  /** An effect or an undo follows this write. */
  readonly precedes?: "effect" | "undo";
  /** Nothing is written while a freeze covers this. */
  readonly freeze?: FreezeQuery;
  readonly question?: Question;
  readonly release?: { readonly dueAt?: Instant };
  readonly cooldowns?: readonly { readonly bucket: string; readonly forMs: number }[];
}

/**
 * The only writer of a claimed run: its view, the entries that are not written yet, and the lease.
 *
 * An entry that follows from what is written (`record`) waits in memory and is written by the next flush, so that the result of
 * one step and the intent of the next are one script call. A crash before the flush loses nothing: the entry is decided again.
 */
export interface RunWriter {
  readonly lease: Lease;
  /** The journal folded, entries that are not written yet included. */
  readonly view: RunView;
  /** The run's own time, see `runTimeOf`. */
  now(): Instant;
  /** Aborted when the lease is lost. */
  readonly lostSignal: AbortSignal;
  /** Aborted when a person stops the run. */
  readonly stopSignal: AbortSignal;
  /** Whether entries wait for the next flush. */
  readonly hasUnwritten: boolean;
  record(body: EntryBody): void;
  /** Records what others have asked of this run since the last call: the end of its alert, or a stop, which also aborts `stopSignal`. */
  receiveNotices(): void;
  /**
   * Writes the recorded entries. When the reply is not `ok`, nothing was written and the entries stay recorded; `discardLast` removes the last one.
   * @throws LeaseLost
   */
  flush(flush?: Flush): Promise<AppendResult>;
  /** Removes the last recorded entry; only valid before it was written. */
  discardLast(): void;
  /** Removes the recorded entries if they say only that the run was claimed and what its alert does; false: they say more, and stay. */
  discardClaim(): boolean;
  /**
   * Ends normally when the lease is certain to last for a while; called before every effect.
   * @throws LeaseLost
   */
  assertLeased(): Promise<void>;
  close(): void;
}

/** Becomes the writer of a claimed run and renews its lease until `close`. */
export function createRunWriter(claimed: ClaimedRun, deps: { readonly journal: RunJournal; readonly clock: Clock }): RunWriter {
  const { journal, clock } = deps;
  const { lease } = claimed;
  const margin = Math.min(2000, journal.leaseMs / 3);
  const lostController = new AbortController();
  const stopController = new AbortController();
  const written = [...claimed.journal];
  let unwritten: JournalEntry[] = [];
  /** Claimed under this lease and kept until the run ends, so never claimed again. */
  const locks = new Set<string>();
  let view = viewOf(written);
  let head = claimed.head;
  let notices = claimed.notices;
  let lastOk = clock.monotonic();
  let lost = false;

  const record = (body: EntryBody): void => {
    const entry: JournalEntry = { at: clock.now(), epoch: lease.epoch, ...body };
    unwritten.push(entry);
    fold(view, entry);
  };

  const lose = (): LeaseLost => {
    lost = true;
    lostController.abort(new LeaseLost(lease.runId));
    return new LeaseLost(lease.runId);
  };

  const stop = (): void => stopController.abort(new DOMException("Stopped by a person.", "AbortError"));

  const addNotices = (arrived: Notices): void => {
    notices = { ...notices, ...arrived };
  };

  const renew = async (): Promise<void> => {
    const asked = clock.monotonic();
    const result = await journal.renew(lease);
    if (!result.renewed) throw lose();
    lastOk = asked;
    addNotices(result.notices);
    if (result.notices.stop !== undefined) stop();
  };

  const heartbeat = clock.every(journal.leaseMs / 6, () => {
    if (lost || clock.monotonic() - lastOk < journal.leaseMs / 3) return;
    renew().catch(() => {
      // Redis may come back in time; only an expired lease is certainly lost.
      if (clock.monotonic() - lastOk > journal.leaseMs) lose();
    });
  });

  return {
    lease,
    get view() {
      return view;
    },
    now: () => runTimeOf(view, clock.now()),
    lostSignal: lostController.signal,
    stopSignal: stopController.signal,
    get hasUnwritten() {
      return unwritten.length > 0;
    },
    record,
    receiveNotices() {
      if (notices.resolved !== undefined && view.resolved === undefined) record({ kind: "resolved", why: notices.resolved });
      if (notices.stop !== undefined && view.stop === undefined) {
        record({ kind: "stop_requested", ...notices.stop });
        stop();
      }
    },
    discardLast() {
      unwritten.pop();
      view = viewOf([...written, ...unwritten]);
    },
    discardClaim() {
      if (unwritten.some(({ kind }) => kind !== "claimed" && kind !== "preflight")) return false;
      unwritten = [];
      view = viewOf(written);
      return true;
    },
    async flush(flush = {}) {
      if (lost) throw new LeaseLost(lease.runId);
      const asked = clock.monotonic();
      const entries = unwritten;
      const claims = (flush.claims ?? []).filter((claim) => !("lock" in claim && locks.has(claim.lock)));
      const result = await journal.append(lease, {
        head,
        entries,
        state: flush.state ?? "running",
        summary: flush.summary ?? {},
        claims,
        recordedNotices: { stop: view.stop !== undefined, resolved: view.resolved !== undefined, joined: view.joined },
        ...(flush.precedes !== undefined && { precedes: flush.precedes }),
        ...(flush.freeze !== undefined && { freeze: flush.freeze }),
        ...(flush.question !== undefined && { question: flush.question }),
        ...(flush.release !== undefined && { release: { ...flush.release, at: clock.now() } }),
        ...(flush.cooldowns !== undefined && { cooldowns: flush.cooldowns }),
      });
      if (result.kind === "fenced") throw lose();
      if (result.kind === "ok") {
        lastOk = asked;
        head = result.head;
        for (const claim of claims) if ("lock" in claim) locks.add(claim.lock);
        written.push(...entries);
        unwritten = unwritten.slice(entries.length);
        addNotices(result.notices);
      }
      if (result.kind === "stopped") addNotices(result.notices);
      return result;
    },
    async assertLeased() {
      if (lost) throw new LeaseLost(lease.runId);
      if (journal.leaseMs - (clock.monotonic() - lastOk) < margin) await renew();
      if (journal.leaseMs - (clock.monotonic() - lastOk) < margin) throw lose();
    },
    close() {
      heartbeat.stop();
    },
  };
}
