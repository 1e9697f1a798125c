import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, it } from "@jest/globals";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { aListedRun, describeRunList } from "../../test/contracts/describe-run-list.ts";
import { commandsOf } from "../../test/servers/commands-of.ts";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { openKeyOf } from "../alerts/prepare-run.ts";
import { createAcceptStore, createRunbookBytes } from "../alerts/redis-store.ts";
import { createSystemClock } from "../core/clock.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createRunIndexes } from "./redis-run-indexes.ts";
import { createRunReader } from "./redis-run-reader.ts";
import { createRunJournal } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);
const clock = createSystemClock();

beforeEach(async () => {
  await held.redis.flushall();
});

async function start(summary: RunSummary): Promise<void> {
  const bytes = createRunbookBytes(held.redis);
  await bytes.put(summary.runbookSha, "# Runbook: Contract\n");
  const { id, runbookId, runbookSha, mode, target, source } = summary;
  const request = { runbookId, runbookSha, mode, params: {}, source, ...(target !== undefined && { target }) };
  const episode = { runbookId, fingerprint: id, startsAt: 1, latestStartsAt: 1, lastSeenAt: 1, count: 1, recentStarts: [1] };
  const accepted = { at: 1, kind: "accepted", runId: id, request } as const;
  const run = { id, summary, accepted, openKey: openKeyOf(runbookId, `${target} ${id}`), claims: [] };
  const store = createAcceptStore(held.redis, { now: () => Date.now(), bytes });
  const [result] = await store.accept([{ runbookId, fingerprint: id, expectedVersion: 0, episode, run }]);
  if (result?.kind !== "created") throw new Error(`Not accepted: ${result?.kind}`);
  await sleep(2);
}

async function change(id: string, state: "suspended" | "ended", summary: Partial<RunSummary>): Promise<void> {
  const journal = createRunJournal(held.redis, { worker: "a", leaseMs: 6000, nonce: () => randomUUID(), clock });
  const run = await journal.claim(id);
  if ("refused" in run) throw new Error(run.refused);
  await journal.append(run.lease, {
    head: run.head,
    entries: [{ at: 2, kind: "claimed", worker: "a", epoch: run.lease.epoch }],
    state,
    summary,
    claims: [],
    recordedNotices: { stop: false, resolved: false },
    release: {},
  });
}

describeRunList("Redis", async () => ({
  list: async (filter, page) => createRunReader(held.redis, clock).list(filter, page),
  start,
  suspend: async (id) => change(id, "suspended", {}),
  end: async (id, outcome) => change(id, "ended", { outcome }),
  now: async () => {
    await sleep(2);
    return Date.now();
  },
}));

/** Ended runs as an earlier version left them: in the list of all runs and in no index. */
async function putEndedRuns(count: number, from = 0): Promise<void> {
  const pipeline = held.redis.pipeline();
  for (let at = from; at < from + count; at += 1) {
    const outcome = at % 50 === 0 ? "failed" : "succeeded";
    const summary = aListedRun({ id: `run_old${at}`, state: "ended", outcome, target: `budget/${at % 100}`, runbookId: `book-${at % 7}` });
    pipeline.hset(runKeys.run(summary.id), { state: "ended", summary: JSON.stringify(summary) });
    pipeline.pexpire(runKeys.run(summary.id), 3_600_000);
    pipeline.zadd(runKeys.runs, 1000 + at, summary.id);
  }
  await pipeline.exec();
}

const filters = [
  {},
  { state: "ended" },
  { outcome: "failed" },
  { target: "budget/50" },
  { runbookId: "book-1", outcome: "failed" },
  { alertName: "Burn", since: 1500 },
  { state: "open" },
] as const;

it("reads a page of any filter with the same number of commands for 2,000 runs as for 10,000", async () => {
  const reader = createRunReader(held.redis, clock);
  const indexes = createRunIndexes(held.redis);
  const commands = async () => {
    const counted: Readonly<Record<string, number>>[] = [];
    for (const filter of filters) {
      const first = await reader.list(filter, { limit: 2 });
      const next = { limit: 2, ...(first?.nextCursor !== undefined && { cursor: first.nextCursor }) };
      counted.push(await commandsOf(held.redis, async () => reader.list(filter, next)));
    }
    return counted;
  };
  await putEndedRuns(2000);
  expect(await indexes.rebuildIfLost()).toBe(2000);
  const few = await commands();
  await putEndedRuns(8000, 2000);
  expect(await indexes.rebuild()).toBe(8000);
  expect(await commands()).toEqual(few);
  for (const counts of few) expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(8);
  expect((await reader.list({ runbookId: "book-1", outcome: "failed" }, { limit: 200 }))?.items).toHaveLength(29);
}, 60_000);

it("rebuilds indexes that were lost, once, and changes none that are there", async () => {
  const reader = createRunReader(held.redis, clock);
  const indexes = createRunIndexes(held.redis);
  await start(aListedRun({ id: "run_new" }));
  await putEndedRuns(5);
  const listed = async () => (await reader.list({}, { limit: 50 }))?.items.map(({ id }) => id);
  expect(await indexes.rebuildIfLost()).toBe(0);
  expect(await listed()).toEqual(["run_new"]);
  expect(await indexes.rebuild()).toBe(5);
  expect(await indexes.rebuild()).toBe(0);
  const all = ["run_new", "run_old4", "run_old3", "run_old2", "run_old1", "run_old0"];
  expect(await listed()).toEqual(all);
  await held.redis.del(...(await held.redis.keys("{rb}:runs:*")));
  expect(await listed()).toEqual([]);
  expect(await indexes.rebuildIfLost()).toBe(6);
  expect(await listed()).toEqual(all);
});

it("removes a run from every index when it is no longer kept", async () => {
  await putEndedRuns(30);
  await createRunIndexes(held.redis).rebuild();
  const ids = await held.redis.zrange(runKeys.runExpiry, "0", "-1");
  expect(ids).toHaveLength(30);
  for (const id of ids) {
    await held.redis.del(runKeys.run(id));
    await held.redis.zadd(runKeys.runExpiry, 1, id);
  }
  // A new run removes some, and the daily repair what is over.
  await start(aListedRun({ id: "run_new" }));
  expect(await held.redis.hlen(runKeys.runPlaces)).toBe(11);
  await createRunIndexes(held.redis).rebuild();
  expect(await held.redis.hlen(runKeys.runPlaces)).toBe(1);
  const keys = await held.redis.keys("{rb}:runs:with:*");
  const members = await Promise.all(keys.map(async (key) => held.redis.zrange(key, "0", "-1")));
  expect(new Set(members.flat())).toEqual(new Set(["run_new"]));
});
