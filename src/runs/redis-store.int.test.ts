import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "@jest/globals";
import { acceptRun } from "../../test/builders/accept-run.ts";
import { describeAcceptStore } from "../../test/contracts/describe-accept-store.ts";
import { describeRunJournal } from "../../test/contracts/describe-run-journal.ts";
import { type RedisServer, startRedisServer } from "../../test/servers/redis-server.ts";
import { createAcceptStore, createRunbookBytes } from "../alerts/redis-store.ts";
import { createSystemClock } from "../core/clock.ts";
import { parseRecord } from "../core/journal.ts";
import { parseSummary } from "../core/run.ts";
import { createFreezeStore } from "../freeze/redis-store.ts";
import { connectRedis } from "../platform/redis/connection.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createRunNotices } from "./redis-run-notices.ts";
import { createRunJournal } from "./redis-store.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const clock = createSystemClock();

describeRunJournal("Redis", async () => {
  const redis = connectRedis({ socketPath: server.socketPath }, "worker");
  await redis.flushall();
  const ledgerOf = (worker: string) => createRunJournal(redis, { worker, leaseMs: 6000, nonce: () => randomUUID(), clock });
  const control = createRunNotices(redis);
  const board = createFreezeStore(redis, { notices: createRunNotices(redis) });
  return {
    ledger: ledgerOf("a"),
    other: ledgerOf("b"),
    create: async (runId, request) => acceptRun(redis, { runId, request }),
    join: async (runId, request, why) => acceptRun(redis, { runId, request, fingerprint: `${runId} too`, joining: why }),
    log: async (name) => redis.lrange(runKeys.log(name), 0, -1),
    journal: async (runId) => (await redis.lrange(runKeys.journal(runId), "0", "-1")).flatMap(parseRecord),
    notice: async (runId, notice) => {
      if (notice.stop !== undefined) await control.stop(runId, notice.stop.by, notice.stop.reason);
      if (notice.resolved !== undefined) await control.resolved(runId, notice.resolved);
    },
    expireLease: async (runId) => {
      await redis.hset(runKeys.run(runId), { leaseUntil: 1 });
    },
    freeze: async (freeze) => board.put(freeze),
    unfreeze: async (scope) => void (await board.remove(scope)),
    close: async () => {
      await redis.quit();
    },
  };
});

describeAcceptStore("Redis", async () => {
  const redis = connectRedis({ socketPath: server.socketPath }, "request");
  await new Promise((resolve) => redis.once("ready", resolve));
  await redis.flushall();
  const ledger = createRunJournal(redis, { worker: "a", leaseMs: 6000, nonce: () => randomUUID(), clock });
  return {
    store: createAcceptStore(redis, { now: () => Date.now(), bytes: createRunbookBytes(redis) }),
    bytes: createRunbookBytes(redis),
    now: () => Date.now(),
    async runOf(runId) {
      const [summary, first] = await Promise.all([redis.hget(runKeys.run(runId), "summary"), redis.lindex(runKeys.journal(runId), 0)]);
      if (summary === null || first === null) return undefined;
      return { id: parseSummary(summary).id, first: parseRecord(first)[0]?.kind ?? "" };
    },
    freeze: async (freeze) => createFreezeStore(redis, { notices: createRunNotices(redis) }).put(freeze),
    unfreeze: async (scope) => void (await createFreezeStore(redis, { notices: createRunNotices(redis) }).remove(scope)),
    resolvedOf: async (runId) => (await redis.hget(runKeys.run(runId), "resolved")) ?? undefined,
    joinedOf: async (runId) => (await redis.hget(runKeys.run(runId), "joinedReason")) ?? undefined,
    async endRun(runId) {
      const run = await ledger.claim(runId);
      if ("refused" in run) throw new Error(run.refused);
      await ledger.append(run.lease, {
        head: run.head,
        entries: [{ at: 2, kind: "finished", outcome: "succeeded", reason: "" }],
        state: "ended",
        summary: {},
        claims: [],
        recordedNotices: { stop: false, resolved: false },
        release: {},
      });
    },
    close: async () => {
      await redis.quit();
    },
  };
});
