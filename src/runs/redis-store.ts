import type { Redis } from "ioredis";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { chainText } from "../core/chain.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { dayMs } from "../core/duration.ts";
import { parseFreeze } from "../core/freeze.ts";
import { parseRecord, recordText } from "../core/journal.ts";
import { parseSummary, watchdogRunbook } from "../core/run.ts";
import { endQualities } from "../core/run-qualities.ts";
import { createReplication } from "../platform/redis/replication.ts";
import { claimArgs, endedRetentionMs, isId, rememberKeys, runIndexes, runKeys } from "../platform/redis/run-keys.ts";
import { resultList } from "../platform/redis/script.ts";
import { readRedisTime } from "../platform/redis/shared-clock.ts";
import { createOpenRunCounts } from "./redis-open-runs.ts";
import { runScripts } from "./redis-scripts.ts";
import type { Notices, RunJournal } from "./store.ts";

/** 720 watchdog runs a day are worth a day of looking back. */
const watchdogRetentionMs = dayMs;
/** A worker that has taken a due run claims it within this time, or another worker takes it. */
const takenMs = 2000;
/** One journal entry may not be larger; results beyond it are cut by the engine. */
const entryLimitBytes = 64 * 1024;

/** A ledger over Redis in the name of one worker, plus what its sweeper needs. */
export interface RedisRunJournal extends RunJournal {
  /** Takes runs that are due now, oldest first. They are due again two seconds later unless they are claimed, so that workers do not all take the same ones. */
  due(limit: number): Promise<readonly string[]>;
  /** Takes back the leases of an earlier process of this worker's name; its runs are due at once. Only safe when the name is exclusive. */
  reclaimLeases(): Promise<readonly string[]>;
  /** Open runs by runbook. */
  openRuns(): Promise<ReadonlyMap<string, number>>;
  /** Seconds by which the oldest due run is late; 0 when none is. */
  dueLagSeconds(): Promise<number>;
}

/**
 * Binds the scripts. `worker` is a stable name, exclusive to one process at a time; `nonce` makes tokens unique.
 * `replicas`: an intent must be on this many replicas before its effect may begin; 0 or absent asks none.
 */
export function createRunJournal(
  redis: Redis,
  options: {
    readonly worker: string;
    readonly leaseMs: number;
    readonly nonce: () => string;
    readonly clock: Clock;
    readonly replicas?: number;
    /** Milliseconds of Redis' clock; that of `redis` unless said. */
    readonly readTime?: () => Promise<Instant>;
    /** Hears that Redis' clock was set back, by how many milliseconds at least; what is written next must have the new time. */
    readonly clockSetBack?: (byMs: number) => Promise<void>;
  },
): RedisRunJournal {
  const { worker, leaseMs } = options;
  /** The projection travels with the lease, because the script only writes. */
  const summaries = new Map<string, RunSummary>();
  const replication = createReplication(redis, options.replicas ?? 0);
  const indexKey = rememberKeys(runKeys.runsBy);
  /** After a write that did not reach its replicas, the next intent is not even written before they are back. */
  let isBehind = false;
  const endImpossibleWaits = async (now: Instant): Promise<void> => {
    const ids = await redis.smembers(runKeys.openRuns);
    const runs = await Promise.all(ids.map(async (id) => redis.hmget(runKeys.run(id), "state", "leaseUntil", "releasedAt")));
    const impossible = ids.filter((_, index) => {
      const [state, leaseUntil, releasedAt] = runs[index] ?? [];
      // A run that was given back waits for any worker; it may be tried early, but not only when the clock has caught up.
      return state === "queued" || Number(leaseUntil ?? 0) > now + leaseMs || Number(releasedAt ?? 0) > now + clockToleranceMs;
    });
    // The script of the claim decides; here the run is only made due.
    if (impossible.length > 0) await redis.zadd(runKeys.due, ...impossible.flatMap((id) => [String(now), id]));
  };
  let checkAgainAt: number | undefined;
  const clockWatch = createClockWatch(options.clock, options.readTime ?? (async () => readRedisTime(redis)));

  const claimRun: RunJournal["claim"] = async (runId) => {
    if (!isId(runId)) return { refused: "unknown_run" };
    const result = resultList(
      await runScripts.claim.run(redis, {
        keys: { run: runKeys.run(runId), journal: runKeys.journal(runId), due: runKeys.due },
        args: { runId, worker, leaseMs, nonce: options.nonce() },
      }),
    ).map(String);
    const [kind] = result;
    if (kind === "ended" || kind === "leased" || kind === "waiting" || kind === "unknown_run" || kind === "damaged")
      return { refused: kind };
    const [, token = "", epoch = "0", head = "", stalls = "1", stopBy = "", stopReason = "", resolved = "", ...more] = result;
    const [joined = "0", joinedReason = "", summary = "", step = "", ...entries] = more;
    const journal = readRecord(summary, entries, (currentSummary) => summaries.set(runId, withStep(currentSummary, step)));
    if (journal === undefined) {
      const keys = { run: runKeys.run(runId), due: runKeys.due, damagedRuns: runKeys.damaged, feed: runKeys.feed };
      await runScripts.quarantineRun.run(redis, { keys, args: { runId, token } });
      return { refused: "damaged" };
    }
    return {
      lease: { runId, token, epoch: Number(epoch) },
      journal,
      head,
      stalls: Number(stalls),
      notices: noticesOf(stopBy, stopReason, resolved),
      ...(Number(joined) > 0 && { joined: { count: Number(joined), why: joinedReason } }),
    };
  };

  return {
    leaseMs,
    worker,
    claim: claimRun,
    async renew(lease) {
      const { runId, token } = lease;
      const result = resultList(
        await runScripts.renew.run(redis, { keys: { run: runKeys.run(runId), due: runKeys.due }, args: { runId, token, leaseMs } }),
      );
      const [, stopBy = "", stopReason = "", resolved = ""] = result.map(String);
      return { renewed: result[0] === 1, notices: noticesOf(stopBy, stopReason, resolved) };
    },
    async append(lease, change) {
      if (change.precedes !== undefined && isBehind) {
        isBehind = !(await replication.confirmRead(replication.begin()));
        if (isBehind) return { kind: "unreplicated" };
      }
      const life = replication.begin();
      // One record for all: what is written together is there or missing together.
      const link = change.entries.length === 0 ? undefined : chainText(change.head, recordText(change.entries.map(bounded)));
      const { head } = link ?? change;
      const texts = link === undefined ? [] : [link.text];
      const currentSummary = summaries.get(lease.runId) ?? (await readSummary(redis, lease.runId));
      const summary = { ...currentSummary, ...change.summary, state: change.state };
      // What is listed of a run that works is its state and its step; all else is written when it rests.
      const isLean = change.release === undefined && Object.keys(change.summary).every((field) => field === "step");
      const cooldowns = change.cooldowns ?? [];
      const { question, release } = change;
      const result = resultList(
        await runScripts.append.run(redis, {
          keys: {
            run: runKeys.run(lease.runId),
            journal: runKeys.journal(lease.runId),
            due: runKeys.due,
            locks: runKeys.locks(lease.runId),
            fencedCount: runKeys.fenced,
            question: runKeys.question(question?.id ?? "none"),
            openQuestions: runKeys.questions,
            openRuns: runKeys.openRuns,
            freezes: runKeys.freezes,
            frozenRuns: runKeys.frozenRuns,
            endedRuns: runKeys.endedRuns,
            runs: runKeys.runs,
            runPlaces: runKeys.runPlaces,
            runExpiry: runKeys.runExpiry,
            feed: runKeys.feed,
            openCounts: runKeys.openCounts,
          },
          moreKeys: [
            ...change.claims.map((claim) => runKeys.claim(claim)),
            ...cooldowns.map((cooldown) => runKeys.bucket(cooldown.bucket)),
          ],
          args: {
            runId: lease.runId,
            token: lease.token,
            expectedHead: change.head,
            newHead: head,
            leaseMs,
            state: change.state,
            summary: isLean ? "" : JSON.stringify(summary),
            step: isLean ? (summary.step ?? "") : "",
            release: release === undefined ? "keep" : (release.dueAt ?? "park"),
            retentionMs: summary.runbookId === watchdogRunbook ? watchdogRetentionMs : endedRetentionMs,
            questionJson: question === undefined ? "" : JSON.stringify(question),
            questionId: question?.id ?? "",
            entryCount: texts.length,
            claimCount: change.claims.length,
            cooldownCount: cooldowns.length,
            sawStop: change.recordedNotices.stop,
            sawResolved: change.recordedNotices.resolved,
            sawJoined: change.recordedNotices.joined ?? 0,
            precedesEffect: change.precedes === "effect",
            freezeQuery: change.freeze === undefined ? "" : JSON.stringify(change.freeze),
            endedIndexes: change.state === "ended" ? runIndexes(endQualities(summary), indexKey) : "",
            releasedAt: release?.at ?? 0,
          },
          moreArgs: [...texts, ...claimArgs(change.claims), ...cooldowns.map((cooldown) => Math.max(1, Math.ceil(cooldown.forMs)))],
        }),
      );
      switch (String(result[0])) {
        case "ok":
          if (release === undefined) summaries.set(lease.runId, summary);
          else summaries.delete(lease.runId);
          if ((texts.length > 0 && !isBehind) || change.precedes !== undefined) isBehind = !(await replication.confirm(life));
          return {
            kind: "ok",
            head,
            notices: noticesOf(String(result[1]), String(result[2]), String(result[3])),
            ...(isBehind && { unreplicated: true }),
          };
        case "stopped":
          return { kind: "stopped", notices: noticesOf(String(result[1]), String(result[2]), String(result[3])) };
        case "frozen":
          return { kind: "frozen", freeze: parseFreeze(String(result[1])) };
        case "refused": {
          const refused = change.claims[Number(result[1])];
          if (refused === undefined) throw new Error("append.lua refused a claim that was not made.");
          const holder = String(result[2]);
          const retryAfterMs = Number(result[3]);
          return {
            kind: "claim_refused",
            claim: refused,
            ...(holder !== "" && { holder }),
            ...(retryAfterMs > 0 && { retryAt: options.clock.now() + retryAfterMs }),
          };
        }
        default:
          summaries.delete(lease.runId);
          return { kind: "fenced" };
      }
    },
    async due(limit) {
      const { now, setBackMs } = await clockWatch();
      if (setBackMs !== undefined && setBackMs > 0) await options.clockSetBack?.(setBackMs);
      const isCheckedAgain = checkAgainAt !== undefined && options.clock.monotonic() >= checkAgainAt;
      if (setBackMs !== 0) checkAgainAt = options.clock.monotonic() + checkAgainAfterMs;
      else if (isCheckedAgain) checkAgainAt = undefined;
      if (setBackMs !== 0 || isCheckedAgain) await endImpossibleWaits(now);
      const taken = await runScripts.takeDue.run(redis, { keys: { due: runKeys.due }, args: { count: limit, holdMs: takenMs } });
      return resultList(taken).map(String);
    },
    async reclaimLeases() {
      return resultList(await runScripts.reclaimLeases.run(redis, { keys: { due: runKeys.due }, args: { worker, leaseMs } })).map(String);
    },
    openRuns: async () => createOpenRunCounts(redis).read(),
    async dueLagSeconds() {
      const [, score] = await redis.zrange(runKeys.due, "0", "0", "WITHSCORES");
      return score === undefined ? 0 : Math.max(0, (options.clock.now() - Number(score)) / 1000);
    },
  };
}

/** A worker that had not noticed yet may have written waits by the old time after the first look. */
const checkAgainAfterMs = 10_000;

/** A reading of TIME is exact to far less; less than this is no jump. */
const clockToleranceMs = 1000;

/** Compares each reading of Redis' clock with the monotonic clock since the last one. `setBackMs`: 0 when it was not set back, undefined at the first reading. */
function createClockWatch(clock: Pick<Clock, "monotonic">, readTime: () => Promise<Instant>) {
  let last: { readonly time: Instant; readonly readAt: number } | undefined;
  return async (): Promise<{ readonly now: Instant; readonly setBackMs: number | undefined }> => {
    const asked = clock.monotonic();
    const now = await readTime();
    const before = last;
    last = { time: now, readAt: clock.monotonic() };
    if (before === undefined) return { now, setBackMs: undefined };
    // At least this much time has passed between the two readings, however long an answer was on its way.
    const backMs = before.time + (asked - before.readAt) - now;
    return { now, setBackMs: backMs > clockToleranceMs ? Math.round(backMs) : 0 };
  };
}

/** Undefined: something in it is no record of ours. */
function readRecord(
  summary: string,
  entries: readonly string[],
  onSummary: (summary: RunSummary) => void,
): readonly JournalEntry[] | undefined {
  try {
    const journal = entries.flatMap((text) => parseRecord(text));
    if (journal[0]?.kind !== "accepted") return undefined;
    onSummary(parseSummary(summary));
    return journal;
  } catch {
    return undefined;
  }
}

function noticesOf(stopBy: string, stopReason: string, resolved: string): Notices {
  return { ...(stopBy !== "" && { stop: { by: stopBy, reason: stopReason } }), ...(resolved !== "" && { resolved }) };
}

/** The entry, or what is kept of one that is too large. */
function bounded(entry: JournalEntry): JournalEntry {
  if (Buffer.byteLength(JSON.stringify(entry)) <= entryLimitBytes) return entry;
  if (entry.kind === "applied") return { ...entry, output: { cut: true, note: "The result was larger than 64 KiB and was not kept." } };
  throw new Error(`A journal entry of kind ${entry.kind} is larger than 64 KiB.`);
}

async function readSummary(redis: Redis, runId: string): Promise<RunSummary> {
  const [summary, step] = await redis.hmget(runKeys.run(runId), "summary", "step");
  return withStep(parseSummary(summary ?? "null"), step ?? "");
}

function withStep(summary: RunSummary, step: string): RunSummary {
  return step === "" ? summary : { ...summary, step };
}
