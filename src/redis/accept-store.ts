import type { Redis } from "ioredis";
import { genesisHead, nextHead } from "../core/journal.ts";
import {
  type AcceptReply,
  type AcceptStore,
  type AcceptWrite,
  type Episode,
  type RunbookBytes,
  StoreUnavailable,
} from "../intake/ports.ts";
import { claimArgs, runKeys } from "./run-keys.ts";
import { loadScript } from "./script.ts";

/** An episode is remembered this long after it was last heard of: the doubling cooldown counts over 24 h. */
const keepEpisodeMs = 8 * 24 * 3_600_000;

/** Episodes and the atomic accept, over Redis. With `appendfsync always` a reply means: on disk. */
export function createAcceptStore(redis: Redis, options: { readonly now: () => number }): AcceptStore {
  const accept = loadScript("accept", ["claims"]);
  const notice = loadScript("notice");

  const write = async (change: AcceptWrite): Promise<AcceptReply> => {
    const { run } = change;
    const id = run?.id ?? "none";
    const text = run === undefined ? "" : JSON.stringify(run.accepted);
    const claims = run?.claims ?? [];
    const reply = (await accept.run(
      redis,
      [
        runKeys.episode(change.runbookId, change.fingerprint),
        runKeys.run(id),
        runKeys.journal(id),
        runKeys.due,
        runKeys.runs,
        runKeys.open(run?.openKey ?? "none"),
        runKeys.locks(id),
        runKeys.bytes(run?.accepted.request.runbookSha ?? "none"),
        runKeys.openRuns,
        ...claims.map((claim) => runKeys.claim(claim)),
      ],
      [
        change.expectedVersion,
        JSON.stringify(change.episode),
        keepEpisodeMs,
        run === undefined ? "0" : "1",
        id,
        text,
        nextHead(genesisHead, text),
        run === undefined ? "" : JSON.stringify(run.summary),
        "0",
        claims.length,
        ...claimArgs(claims),
      ],
    )) as [string, ...(string | number)[]];
    if (change.resolves !== undefined && reply[0] === "updated") {
      await notice.run(
        redis,
        [runKeys.run(change.resolves.runId), runKeys.due],
        [change.resolves.runId, "resolved", "", change.resolves.why],
      );
    }
    switch (reply[0]) {
      case "created":
      case "joined":
        return { kind: reply[0], runId: String(reply[1]) };
      case "updated":
      case "conflict":
        return { kind: reply[0] };
      case "refused": {
        const claim = claims[Number(reply[1])];
        const retryAfterMs = Number(reply[2]);
        return {
          kind: "refused",
          claim: claim === undefined ? "unknown" : "lock" in claim ? claim.lock : claim.bucket,
          ...(retryAfterMs > 0 && { retryAt: options.now() + retryAfterMs }),
        };
      }
      default:
        throw new Error("The pinned runbook bytes were not stored before the accept.");
    }
  };

  return {
    async read(keys) {
      try {
        const rows = await Promise.all(
          keys.map(async (key) => await redis.hmget(runKeys.episode(key.runbookId, key.fingerprint), "v", "e", "run")),
        );
        return rows.map(([version, text, runId]) => {
          if (typeof version !== "string" || typeof text !== "string") return { version: 0 };
          const episode = JSON.parse(text) as Episode;
          return { version: Number(version), episode: typeof runId === "string" && runId !== "" ? { ...episode, runId } : episode };
        });
      } catch (error) {
        throw new StoreUnavailable(error);
      }
    },
    async accept(writes) {
      try {
        return await Promise.all(writes.map(async (change) => await write(change)));
      } catch (error) {
        throw new StoreUnavailable(error);
      }
    },
  };
}

/** Pinned bytes over Redis. Immutable, so a copy in memory of what was stored saves the round trip. */
export function createRunbookBytes(redis: Redis): RunbookBytes {
  const stored = new Set<string>();
  return {
    async put(sha, source) {
      if (stored.has(sha)) return;
      try {
        await redis.set(runKeys.bytes(sha), source, "NX");
        stored.add(sha);
      } catch (error) {
        throw new StoreUnavailable(error);
      }
    },
    get: async (sha) => (await redis.get(runKeys.bytes(sha))) ?? undefined,
  };
}
