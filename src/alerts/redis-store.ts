import type { Redis } from "ioredis";
import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";
import { chainText } from "../core/chain.ts";
import { dayMs } from "../core/duration.ts";
import { describeFreeze, freezeScopesOf, parseFreeze } from "../core/freeze.ts";
import { genesisHead } from "../core/journal.ts";
import { startQualities } from "../core/run-qualities.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import { available } from "../platform/redis/available.ts";
import { createReplication } from "../platform/redis/replication.ts";
import { claimArgs, rememberKeys, runIndexes, runKeys } from "../platform/redis/run-keys.ts";
import { resultList } from "../platform/redis/script.ts";
import type { RunbookBytes } from "../runbooks/runbook-bytes.ts";
import { parseEpisode, withoutRun } from "./episode.ts";
import { accept } from "./redis-scripts.ts";
import type { AcceptResult, AcceptStore, AcceptWrite } from "./store.ts";

/** An episode is remembered this long after it was last heard of: the doubling cooldown counts over 24 h. */
const episodeRetentionMs = 8 * dayMs;

/**
 * Episodes and the atomic accept, over Redis. With `appendfsync always` a reply means: on disk.
 * `replicas`: this many replicas must have it too, else StoreUnavailable; 0 or absent asks none.
 */
export function createAcceptStore(
  redis: Redis,
  options: {
    readonly now: () => number;
    readonly bytes: StoredBytes;
    readonly replicas?: number;
    /** The freeze that stands outside of Redis (a file). */
    readonly frozen?: () => Promise<Freeze | undefined>;
  },
): AcceptStore {
  const replication = createReplication(redis, options.replicas ?? 0);
  const indexKey = rememberKeys(runKeys.runsBy);
  const episodeKey = rememberKeys(runKeys.episodeOf);

  const write = async (change: AcceptWrite): Promise<AcceptResult> => {
    const { run } = change;
    const outside = run === undefined ? undefined : await options.frozen?.();
    if (outside !== undefined) return { kind: "frozen", reason: describeFreeze(outside) };
    const id = run?.id ?? change.resolves?.runId ?? "none";
    const first = run === undefined ? undefined : chainText(genesisHead, JSON.stringify(run.accepted));
    const claims = run?.claims ?? [];
    const result = resultList(
      await accept.run(redis, {
        keys: {
          episode: episodeKey(`${change.runbookId}|${change.fingerprint}`),
          run: runKeys.run(id),
          journal: runKeys.journal(id),
          due: runKeys.due,
          runs: runKeys.runs,
          openRun: runKeys.openRun(run?.openKey ?? "none"),
          locks: runKeys.locks(id),
          runbook: runKeys.runbook(run?.accepted.request.runbookSha ?? "none"),
          openRuns: runKeys.openRuns,
          freezes: runKeys.freezes,
          newEpisodes: runKeys.newEpisodes,
          runPlaces: runKeys.runPlaces,
          runExpiry: runKeys.runExpiry,
          feed: runKeys.feed,
          openCounts: runKeys.openCounts,
        },
        moreKeys: claims.map((claim) => runKeys.claim(claim)),
        args: {
          expectedVersion: change.expectedVersion,
          episodeJson: JSON.stringify(change.episode),
          episodeTtlMs: episodeRetentionMs,
          createsRun: run !== undefined,
          runId: id,
          acceptedEntry: first?.text ?? "",
          head: first?.head ?? "",
          summary: run === undefined ? "" : JSON.stringify(run.summary),
          resolvedReason: change.resolves?.why ?? "",
          joinedReason: run?.joining ?? "",
          freezeQuery: run === undefined ? "" : JSON.stringify({ scopes: startScopes(run.summary), undo: false }),
          runIndexes: run === undefined ? "" : runIndexes(startQualities(run.summary), indexKey),
          runbookId: run?.summary.runbookId ?? "",
          claimCount: claims.length,
        },
        moreArgs: claimArgs(claims),
      }),
    );
    switch (String(result[0])) {
      case "created":
      case "joined":
        return { kind: result[0] === "created" ? "created" : "joined", runId: String(result[1]) };
      case "updated":
      case "conflict":
        return { kind: result[0] === "updated" ? "updated" : "conflict" };
      case "frozen":
        return { kind: "frozen", reason: describeFreeze(parseFreeze(String(result[1]))) };
      case "refused": {
        const claim = claims[Number(result[1])];
        const retryAfterMs = Number(result[2]);
        return {
          kind: "refused",
          claim: claim === undefined || "log" in claim ? "unknown" : "lock" in claim ? claim.lock : claim.bucket,
          ...(retryAfterMs > 0 && { retryAt: options.now() + retryAfterMs }),
        };
      }
      default:
        // Redis has lost its data since the bytes were put: they are put again when the alert is decided again.
        options.bytes.forget(run?.accepted.request.runbookSha ?? "");
        return { kind: "conflict" };
    }
  };

  return {
    async read(keys) {
      return available(async () => {
        const life = replication.begin();
        const rows = await Promise.all(
          keys.map(async (key) => redis.hmget(episodeKey(`${key.runbookId}|${key.fingerprint}`), "version", "episode", "run")),
        );
        // A duplicate is answered 202 without a write of its own, so what it rests on must be as safe as one.
        const isStored = rows.some(([version]) => typeof version === "string");
        if (isStored && !(await replication.confirmRead(life))) throw notReplicated(replication.replicas);
        return rows.map(([version, text, runId]) => {
          if (typeof version !== "string" || typeof text !== "string") return { version: 0 };
          const episode = parseEpisode(text);
          // None: there was no run, or it ended before it heard of this alert; then the episode names one that is not its own.
          if (runId === "") return { version: Number(version), episode: withoutRun(episode) };
          return { version: Number(version), episode: typeof runId === "string" ? { ...episode, runId } : episode };
        });
      });
    },
    accept: async (writes) =>
      available(async () => {
        const life = replication.begin();
        const results = await Promise.all(writes.map(async (change) => write(change)));
        if (!(await replication.confirm(life))) throw notReplicated(replication.replicas);
        return results;
      }),
  };
}

function notReplicated(replicas: number): StoreUnavailable {
  return new StoreUnavailable(`The write is not on ${replicas} replica(s) in time.`);
}

function startScopes({ runbookId, target }: { readonly runbookId: string; readonly target?: string }): readonly string[] {
  return freezeScopesOf({ runbookId, targets: target === undefined ? [] : [target] });
}

/** Pinned bytes, with the memory of what was put. */
export interface StoredBytes extends RunbookBytes {
  /** They are not there although they were put. */
  forget(sha256: string): void;
}

/** Pinned bytes over Redis. Immutable, so a copy in memory of what was stored saves the round trip. */
export function createRunbookBytes(redis: Redis): StoredBytes {
  const stored = new Set<string>();
  return {
    async put(sha, source) {
      if (stored.has(sha)) return;
      await available(async () => redis.set(runKeys.runbook(sha), source, "NX"));
      stored.add(sha);
    },
    forget: (sha) => void stored.delete(sha),
    get: async (sha) => (await redis.get(runKeys.runbook(sha))) ?? undefined,
  };
}
