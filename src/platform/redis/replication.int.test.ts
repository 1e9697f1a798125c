import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { aRunbook, aStep } from "../../../test/builders/a-runbook.ts";
import { done, scriptActions } from "../../../test/fakes/scripted-actions.ts";
import { type RedisServer, startRedisServer } from "../../../test/servers/redis-server.ts";
import { createAcceptStore, createRunbookBytes } from "../../alerts/redis-store.ts";
import type { AcceptWrite } from "../../alerts/store.ts";
import { createSystemClock } from "../../core/clock.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { createFreezeStore } from "../../freeze/redis-store.ts";
import { createExecutor } from "../../runs/engine/execute-run.ts";
import { createRunNotices } from "../../runs/redis-run-notices.ts";
import { createRunJournal } from "../../runs/redis-store.ts";
import { connectRedis } from "./connection.ts";
import { createReplication } from "./replication.ts";
import { runKeys } from "./run-keys.ts";

/** A real primary with a real replica; the replica is frozen and comes back. */
let primary: RedisServer;
let replica: RedisServer;
let redis: ReturnType<typeof connectRedis>;

beforeEach(async () => {
  primary = await startRedisServer(["--repl-diskless-sync-delay", "0"]);
  replica = await startRedisServer(["--replicaof", `127.0.0.1 ${primary.port}`]);
  redis = connectRedis({ socketPath: primary.socketPath }, "request");
  await new Promise((resolve) => redis.once("ready", resolve));
  // The first acknowledgement of a new replica may take a second (Redis 7.0), more than a write is given.
  await untilTrue(async () => (await redis.set("{rb}:first", "1")) === "OK" && (await redis.wait(1, 2000)) === 1);
}, 20_000);

afterEach(async () => {
  redis.disconnect();
  replica.resume();
  await replica[Symbol.asyncDispose]();
  await primary[Symbol.asyncDispose]();
});

async function untilTrue(look: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await look().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("It never became true.");
}

const runbook = aRunbook([aStep("one"), aStep("two")]);

function startOf(runId: string, expectedVersion = 0): AcceptWrite {
  const request = { runbookId: "test", runbookSha: runbook.sha256, mode: "auto", params: {}, source: "manual" } as const;
  return {
    runbookId: "test",
    fingerprint: runId,
    expectedVersion,
    episode: { runbookId: "test", fingerprint: runId, startsAt: 1, latestStartsAt: 1, lastSeenAt: 1, count: 1, recentStarts: [1] },
    run: {
      id: runId,
      summary: { id: runId, ...request, state: "queued", acceptedAt: 1 },
      accepted: { at: Date.now(), kind: "accepted", runId, request },
      openKey: runId,
      claims: [],
    },
  };
}

async function openStore(replicas = 1) {
  const bytes = createRunbookBytes(redis);
  await bytes.put(runbook.sha256, "# Runbook: Replicas\n");
  return createAcceptStore(redis, { now: () => Date.now(), bytes, replicas });
}

describe("accept with a replica", () => {
  it("is refused while the replica is frozen, duplicates as well, and taken when it is back", async () => {
    const store = await openStore();
    await expect(store.accept([startOf("run_before")])).resolves.toEqual([{ kind: "created", runId: "run_before" }]);
    replica.pause();
    await expect(store.accept([startOf("run_during")])).rejects.toThrow(StoreUnavailable);
    // The primary has it now: the same alert again is a duplicate that needs no write, and is no safer for it.
    await expect(store.read([{ runbookId: "test", fingerprint: "run_during" }])).rejects.toThrow(StoreUnavailable);
    replica.resume();
    await untilTrue(async () => (await redis.wait(1, 100)) === 1);
    const [known] = await store.read([{ runbookId: "test", fingerprint: "run_during" }]);
    expect(known).toMatchObject({ version: 1, episode: { runId: "run_during" } });
    expect(await store.accept([startOf("run_after")])).toEqual([{ kind: "created", runId: "run_after" }]);
  }, 20_000);

  it("is refused while fewer replicas are there than are configured", async () => {
    await expect((await openStore(2)).accept([startOf("run_two")])).rejects.toThrow(StoreUnavailable);
  });

  it("asks nobody when none is configured", async () => {
    replica.pause();
    await expect((await openStore(0)).accept([startOf("run_alone")])).resolves.toEqual([{ kind: "created", runId: "run_alone" }]);
  });
});

it("does not take the word of another connection for what an earlier one wrote", async () => {
  const worker = connectRedis({ socketPath: primary.socketPath }, "worker");
  await worker.ping();
  const replication = createReplication(worker, 1);
  const life = replication.begin();
  await worker.set("{rb}:x", "1");
  const again = new Promise((resolve) => worker.once("ready", resolve));
  worker.disconnect(true);
  await again;
  expect(await replication.confirm(life)).toBe(false);
  expect(await replication.confirm(replication.begin())).toBe(true);
  worker.disconnect();
});

it("begins no effect whose intent is not on the replica, goes on when it is, and takes each step once", async () => {
  const store = await openStore();
  await store.accept([startOf("run_1")]);
  const clock = createSystemClock();
  const ledger = createRunJournal(redis, { worker: "a", leaseMs: 3000, nonce: randomUUID, clock, replicas: 1 });
  const actions = scriptActions([
    { name: "one", effect: "once", turns: [done()] },
    { name: "two", effect: "once", turns: [done()] },
  ]);
  const executor = createExecutor(
    {
      journal: ledger,
      runbooks: { get: async () => runbook },
      actions,
      guard: () => ({ kind: "allow", claims: [] }),
      metrics: { query: async () => ({ kind: "unavailable", reason: "none" }) },
      announce: async () => undefined,
      publish: () => undefined,
    },
    { clock, questionId: () => "q_1", cooldownOf: () => [] },
  );
  const never = new AbortController().signal;
  replica.pause();
  expect(await executor.execute("run_1", never)).toBe("yielded");
  await redis.zadd(runKeys.due, "0", "run_1");
  expect(await executor.execute("run_1", never)).toBe("yielded");
  expect(actions.calls).toEqual([]);
  const intents = (await redis.lrange(runKeys.journal("run_1"), "0", "-1")).filter((text) => text.includes('"intent"'));
  // The first one told that the replica is away; the second was not written.
  expect(intents.length).toBe(1);
  replica.resume();
  await untilTrue(async () => (await redis.wait(1, 100)) === 1);
  expect(await executor.execute("run_1", never)).toBe("ended");
  expect(actions.calls).toEqual(["run one", "run two"]);
}, 20_000);

it("a freeze is not said to stand before it is on a replica, and stands all the same", async () => {
  const board = createFreezeStore(redis, { notices: createRunNotices(redis), replicas: 1 });
  const freeze = { scope: "all", by: "ann", reason: "stop", at: 1, undo: false } as const;
  await board.put(freeze);
  replica.pause();
  await expect(board.put({ ...freeze, at: 2 })).rejects.toMatchObject({ cause: expect.stringMatching(/stands, but is not on 1 replica/) });
  expect(await board.list()).toMatchObject([{ at: 2 }]);
});
