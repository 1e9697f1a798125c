import { afterAll, beforeAll, beforeEach, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { proposeRun } from "../intake/prepare-run.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { type RedisServer, startRedisServer } from "../testing/redis-server.ts";
import { createAcceptStore, createRunbookBytes } from "./accept-store.ts";
import { connectRedis } from "./connection.ts";
import { createGuardMemory } from "./guard-facts.ts";

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedisServer();
  redis = connectRedis({ socketPath: server.socketPath }, "worker");
});
beforeEach(async () => {
  await redis.flushall();
});
afterAll(async () => {
  await redis.quit();
  await server[Symbol.asyncDispose]();
});

const about = { runbookId: "cost", action: "resume-batches" };
const hour = 3_600_000;

function start(fingerprint: string, starts: readonly number[], max = 100) {
  const now = Date.now();
  const request = {
    runbookId: "cost",
    runbookSha: "c".repeat(64),
    mode: "auto",
    target: fingerprint,
    params: {},
    source: "webhook",
  } as const;
  const run = proposeRun(`run_${fingerprint}`, request, [{ bucket: "few", max, windowMs: hour, amount: 1 }], now);
  const episode = {
    runbookId: "cost",
    fingerprint,
    startsAt: now,
    latestStartsAt: now,
    lastSeenAt: now,
    recentStarts: starts,
    count: starts.length,
    runId: run.id,
  };
  return { runbookId: "cost", fingerprint, expectedVersion: 0, episode, run };
}

it("knows nothing of what never happened", async () => {
  const memory = createGuardMemory(redis, { now: () => Date.now() });
  expect(await memory.read(about)).toEqual({ episodesInHour: 0, newEpisodes: 0, failures: [] });
  expect(await memory.read({ ...about, fingerprint: "f" })).toEqual({ episodesInHour: 0, newEpisodes: 0, failures: [] });
});

it("counts the episodes of an alert within the hour, and every new episode once, whether or not it started a run", async () => {
  const bytes = createRunbookBytes(redis);
  await bytes.put("c".repeat(64), "# Runbook: Cost\n");
  const store = createAcceptStore(redis, { now: () => Date.now(), bytes });
  const now = Date.now();
  const flapping = [now - 2 * hour, now - 1000, now - 500, now];
  expect(await store.accept([start("a", flapping, 1), start("b", [now], 1), start("b", [now], 1)])).toMatchObject([
    { kind: "created" },
    { kind: "refused" },
    { kind: "refused" },
  ]);
  const memory = createGuardMemory(redis, { now: () => Date.now() });
  expect(await memory.read({ ...about, fingerprint: "a" })).toMatchObject({ episodesInHour: 3, newEpisodes: 2 });
  const later = createGuardMemory(redis, { now: () => Date.now() + 301_000 });
  expect(await later.read(about)).toMatchObject({ newEpisodes: 0 });
});

it("remembers failures of an action, each once and in order, until it works", async () => {
  const clock = createFakeClock(1_000_000);
  const memory = createGuardMemory(redis, clock);
  await memory.failed("resume-batches", "run_1:a:1");
  await clock.advance(10);
  await memory.failed("resume-batches", "run_2:a:1");
  await memory.failed("resume-batches", "run_1:a:1");
  await memory.failed("set-limits", "run_3:a:1");
  expect((await memory.read(about)).failures).toEqual([1_000_000, 1_000_010]);
  await memory.worked("resume-batches");
  expect((await memory.read(about)).failures).toEqual([]);
  expect((await memory.read({ ...about, action: "set-limits" })).failures).toHaveLength(1);
});

it("has no answer when Redis cannot be asked", async () => {
  const other = connectRedis({ socketPath: `${server.socketPath}.none` }, "request");
  await expect(createGuardMemory(other, { now: () => 0 }).read(about)).rejects.toThrow(/writeable|closed|ENOENT/);
  other.disconnect();
});
