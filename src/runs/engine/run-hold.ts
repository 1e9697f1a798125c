import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import type { Question } from "../../../packages/sdk/src/wire/questions.ts";
import type { RunState, RunSummary } from "../../../packages/sdk/src/wire/runs.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import type { FreezeQuery } from "../../core/freeze.ts";
import type { Claim } from "../../core/verdict.ts";
import type { AppendReply, ClaimedRun, Lease, Notices, RunLedger } from "../store.ts";
import type { EntryBody } from "./move.ts";
import { fold, type RunView, viewOf } from "./run-view.ts";

/** The lease is lost: another worker may hold the run. Nothing more may be written or done. */
export class LeaseLost extends Error {
  constructor(runId: string) {
    super(`The lease on ${runId} is lost.`);
    this.name = "LeaseLost";
  }
}

/** An intent did not reach the replicas: its effect must not begin. The run is given back and tried again later. */
export class NotReplicated extends Error {
  constructor(runId: string) {
    super(`An intent of ${runId} is not on enough replicas.`);
    this.name = "NotReplicated";
  }
}

/** What a flush does beside writing the notes. */
export interface Flush {
  readonly state?: RunState;
  readonly summary?: Partial<RunSummary>;
  readonly claims?: readonly Claim[];
  /** An effect follows this write. */
  readonly effect?: boolean;
  /** Nothing is written while a freeze holds this back. */
  readonly freeze?: FreezeQuery;
  readonly question?: Question;
  readonly release?: { readonly dueAt?: Instant };
  readonly cooldowns?: readonly { readonly bucket: string; readonly forMs: number }[];
}

/**
 * A claimed run in the hands of one worker: its view, the entries that are not written yet, and the lease.
 *
 * Entries that follow purely from what is written (`note`) wait in memory and travel with the next write, so that the result of
 * one step and the intent of the next are one script call. Losing them in a crash loses nothing: they are decided again.
 */
export interface RunHold {
  readonly lease: Lease;
  readonly view: RunView;
  /** Aborted when the lease is lost. */
  readonly lostSignal: AbortSignal;
  /** Aborted when a person stops the run. */
  readonly stopSignal: AbortSignal;
  readonly dirty: boolean;
  note(body: EntryBody): void;
  /** Writes the notes. Throws LeaseLost. A refused claim writes nothing: the notes of this flush stay unwritten and `unnote` takes back the last. */
  flush(flush?: Flush): Promise<AppendReply>;
  /** Takes back the last note; only valid before it was written. */
  unnote(): void;
  /** Takes back the notes when they say nothing but that the run was claimed; false: they say more. */
  unnoteClaim(): boolean;
  /** Throws LeaseLost unless the lease surely lives on for a while: asked before every effect. */
  assertHeld(): Promise<void>;
  close(): void;
}

/** Takes a claimed run into hand and keeps its lease alive until `close`. */
export function holdRun(claimed: ClaimedRun, deps: { readonly ledger: RunLedger; readonly clock: Clock }): RunHold {
  const { ledger, clock } = deps;
  const { lease } = claimed;
  const margin = Math.min(2000, ledger.leaseMs / 3);
  const lostController = new AbortController();
  const stopController = new AbortController();
  const written = [...claimed.journal];
  let notes: JournalEntry[] = [];
  /** Taken under this lease: held until the run ends, so never asked for again. */
  const locks = new Set<string>();
  let view = viewOf(written);
  let head = claimed.head;
  let lastOk = clock.monotonic();
  let lost = false;

  const hear = (notices: Notices): void => {
    if (notices.resolved !== undefined && view.resolved === undefined) note({ kind: "resolved", why: notices.resolved });
    if (notices.stop !== undefined && view.stop === undefined) {
      note({ kind: "stop_requested", ...notices.stop });
      stopController.abort(new DOMException("Stopped by a person.", "AbortError"));
    }
  };

  const note = (body: EntryBody): void => {
    const entry: JournalEntry = { at: clock.now(), epoch: lease.epoch, ...body };
    notes.push(entry);
    fold(view, entry);
  };

  const lose = (): LeaseLost => {
    lost = true;
    lostController.abort(new LeaseLost(lease.runId));
    return new LeaseLost(lease.runId);
  };

  let heard: Notices = claimed.notices;
  const renew = async (): Promise<void> => {
    const asked = clock.monotonic();
    const reply = await ledger.renew(lease);
    if (!reply.held) throw lose();
    lastOk = asked;
    heard = { ...heard, ...reply.notices };
    if (reply.notices.stop !== undefined) stopController.abort(new DOMException("Stopped by a person.", "AbortError"));
  };

  const heartbeat = clock.every(ledger.leaseMs / 6, () => {
    if (lost || clock.monotonic() - lastOk < ledger.leaseMs / 3) return;
    renew().catch(() => {
      // Redis may come back in time; only an expired lease is surely lost.
      if (clock.monotonic() - lastOk > ledger.leaseMs) lose();
    });
  });

  return {
    lease,
    get view() {
      hear(heard);
      return view;
    },
    lostSignal: lostController.signal,
    stopSignal: stopController.signal,
    get dirty() {
      return notes.length > 0;
    },
    note,
    unnote() {
      notes.pop();
      view = viewOf([...written, ...notes]);
    },
    unnoteClaim() {
      if (notes.some(({ kind }) => kind !== "claimed")) return false;
      notes = [];
      view = viewOf(written);
      return true;
    },
    async flush(flush = {}) {
      if (lost) throw new LeaseLost(lease.runId);
      const asked = clock.monotonic();
      const entries = notes;
      const claims = (flush.claims ?? []).filter((claim) => !("lock" in claim && locks.has(claim.lock)));
      const reply = await ledger.append(lease, {
        head,
        entries,
        state: flush.state ?? "running",
        summary: flush.summary ?? {},
        claims,
        heard: { stop: view.stop !== undefined, resolved: view.resolved !== undefined },
        ...(flush.effect === true && { effect: true }),
        ...(flush.freeze !== undefined && { freeze: flush.freeze }),
        ...(flush.question !== undefined && { question: flush.question }),
        ...(flush.release !== undefined && { release: flush.release }),
        ...(flush.cooldowns !== undefined && { cooldowns: flush.cooldowns }),
      });
      if (reply.kind === "fenced") throw lose();
      if (reply.kind === "ok") {
        lastOk = asked;
        head = reply.head;
        for (const claim of claims) if ("lock" in claim) locks.add(claim.lock);
        written.push(...entries);
        notes = notes.slice(entries.length);
        heard = { ...heard, ...reply.notices };
      }
      if (reply.kind === "stopped") heard = { ...heard, ...reply.notices };
      return reply;
    },
    async assertHeld() {
      if (lost) throw new LeaseLost(lease.runId);
      if (ledger.leaseMs - (clock.monotonic() - lastOk) < margin) await renew();
      if (ledger.leaseMs - (clock.monotonic() - lastOk) < margin) throw lose();
    },
    close() {
      heartbeat.stop();
    },
  };
}
