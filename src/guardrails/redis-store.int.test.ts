import { beforeEach, expect, it } from "@jest/globals";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { proposeRun } from "../alerts/prepare-run.ts";
import { createAcceptStore, createRunbookBytes } from "../alerts/redis-store.ts";
import { connectRedis } from "../platform/redis/connection.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { noFacts } from "./guardrail.ts";
import { createGuardMemory } from "./redis-store.ts";
import { changeLogOf } from "./target-change.ts";

const held = holdRedis();

beforeEach(async () => {
  await held.redis.flushall();
});

const about = { runbookId: "cost", action: "resume-batches", targets: ["budget/a"] };
const { fleet: _fleet, ...nothing } = { ...noFacts, targetFailures: { "budget/a": [] } };
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
  const run = proposeRun({ id: `run_${fingerprint}`, request, claims: [{ bucket: "few", max, windowMs: hour, amount: 1 }], now });
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
  const memory = createGuardMemory(held.redis, { now: () => Date.now() });
  expect(await memory.read(about)).toEqual(nothing);
  expect(await memory.read({ ...about, fingerprint: "f" })).toEqual(nothing);
});

it("counts the episodes of an alert within the hour, and every new episode once, whether or not it started a run", async () => {
  const bytes = createRunbookBytes(held.redis);
  await bytes.put("c".repeat(64), "# Runbook: Cost\n");
  const store = createAcceptStore(held.redis, { now: () => Date.now(), bytes });
  const now = Date.now();
  const flapping = [now - 2 * hour, now - 1000, now - 500, now];
  expect(await store.accept([start("a", flapping, 1), start("b", [now], 1), start("b", [now], 1)])).toMatchObject([
    { kind: "created" },
    { kind: "refused" },
    { kind: "refused" },
  ]);
  const memory = createGuardMemory(held.redis, { now: () => Date.now() });
  expect(await memory.read({ ...about, fingerprint: "a" })).toMatchObject({ episodesInHour: 3, newEpisodes: 2 });
  const later = createGuardMemory(held.redis, { now: () => Date.now() + 301_000 });
  expect(await later.read(about)).toMatchObject({ newEpisodes: 0 });
});

it("remembers failures of an action, each once and in order, until it works", async () => {
  const clock = createFakeClock(1_000_000);
  const memory = createGuardMemory(held.redis, clock);
  await memory.recordFailure("resume-batches", ["budget/a"], "run_1:a:1");
  await clock.advance(10);
  await memory.recordFailure("resume-batches", ["budget/b"], "run_2:a:1");
  await memory.recordFailure("resume-batches", ["budget/a"], "run_1:a:1");
  await memory.recordFailure("set-limits", ["budget/a"], "run_3:a:1");
  expect((await memory.read(about)).failures).toEqual([1_000_000, 1_000_010]);
  expect((await memory.read({ ...about, targets: ["budget/a", "budget/b"] })).targetFailures).toEqual({
    "budget/a": [1_000_000],
    "budget/b": [1_000_010],
  });
  await memory.recordSuccess("resume-batches", ["budget/a"]);
  expect((await memory.read({ ...about, targets: ["budget/b"] })).targetFailures).toEqual({ "budget/b": [1_000_010] });
  expect((await memory.read(about)).failures).toEqual([]);
  expect((await memory.read({ ...about, action: "set-limits" })).failures).toHaveLength(1);
});

it("counts the runs of a runbook that did not help, until one helps", async () => {
  const memory = createGuardMemory(held.redis, { now: () => Date.now() });
  await memory.recordOutcome("cost", false);
  await memory.recordOutcome("cost", false);
  await memory.recordOutcome("other", false);
  expect((await memory.read(about)).ineffectiveRuns).toBe(2);
  await memory.recordOutcome("cost", true);
  expect((await memory.read(about)).ineffectiveRuns).toBe(0);
});

it("knows what was changed on a target, from the log that is written with the intent", async () => {
  const change = { at: 5, runId: "run_1", target: "budget/a", field: "gate", before: "x", after: "y" };
  await held.redis.rpush(runKeys.log(changeLogOf("budget/a")), JSON.stringify(change), "no change", "{}");
  const memory = createGuardMemory(held.redis, { now: () => Date.now() });
  expect((await memory.read(about)).changes).toEqual([change]);
  expect((await memory.read({ ...about, targets: ["budget/b"] })).changes).toEqual([]);
});

it("has no answer when Redis cannot be asked", async () => {
  const other = connectRedis({ socketPath: `${held.server.socketPath}.none` }, "request");
  await expect(createGuardMemory(other, { now: () => 0 }).read(about)).rejects.toThrow(/writeable|closed|ENOENT/);
  other.disconnect();
});
