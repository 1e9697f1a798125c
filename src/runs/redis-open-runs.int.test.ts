import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "@jest/globals";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { putOpenRuns } from "../../test/builders/put-open-runs.ts";
import { aListedRun } from "../../test/contracts/describe-run-list.ts";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { createAcceptStore, createRunbookBytes } from "../alerts/redis-store.ts";
import { createSystemClock } from "../core/clock.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createJournalCheck } from "./redis-journal-check.ts";
import { createOpenRunCounts } from "./redis-open-runs.ts";
import { createRunJournal } from "./redis-store.ts";

const held = holdRedis();
const clock = createSystemClock();

afterEach(async () => {
  await held.redis.flushall();
});

const journalOf = (worker: string) => createRunJournal(held.redis, { worker, leaseMs: 6000, nonce: randomUUID, clock });
const counts = async () => Object.fromEntries(await createOpenRunCounts(held.redis).read());

async function start({ id, runbookId, runbookSha, mode, source }: RunSummary): Promise<void> {
  const bytes = createRunbookBytes(held.redis);
  await bytes.put(runbookSha, "# Runbook: Counted\n");
  const summary = { id, runbookId, runbookSha, mode, state: "queued", source, acceptedAt: 1000 } as const;
  const request = { runbookId, runbookSha, mode, params: {}, source };
  const episode = { runbookId, fingerprint: id, startsAt: 1, latestStartsAt: 1, lastSeenAt: 1, count: 1, recentStarts: [1] };
  const run = { id, summary, accepted: { kind: "accepted", at: 1000, runId: id, request } as const, openKey: id, claims: [] };
  await createAcceptStore(held.redis, { now: () => clock.now(), bytes }).accept([
    { runbookId, fingerprint: id, expectedVersion: 0, episode, run },
  ]);
}

async function end(id: string): Promise<void> {
  const journal = journalOf("a");
  const run = await journal.claim(id);
  if ("refused" in run) throw new Error(run.refused);
  const entries = [{ at: 2, kind: "finished", outcome: "succeeded", reason: "" }] as const;
  const recordedNotices = { stop: false, resolved: false };
  await journal.append(run.lease, { head: run.head, entries, state: "ended", summary: {}, claims: [], recordedNotices, release: {} });
}

describe("the counts of open runs", () => {
  it("follow the start and the end of each run, and name no runbook without open runs", async () => {
    await start(aListedRun({ id: "run_1", runbookId: "a" }));
    await start(aListedRun({ id: "run_2", runbookId: "a" }));
    await start(aListedRun({ id: "run_3", runbookId: "b" }));
    expect(await counts()).toEqual({ a: 2, b: 1 });
    await end("run_1");
    await end("run_3");
    expect(await counts()).toEqual({ a: 1 });
  });

  it("are made once for the runs of a version that did not count, whose ends are then counted", async () => {
    await start(aListedRun({ id: "run_1", runbookId: "a" }));
    await start(aListedRun({ id: "run_2", runbookId: "b" }));
    await held.redis.del(runKeys.openCounts);
    for (const id of ["run_1", "run_2"]) await held.redis.hdel(runKeys.run(id), "runbook");
    const repaired = createOpenRunCounts(held.redis);
    expect(await repaired.repairIfWrong()).toBe(true);
    expect(await repaired.repairIfWrong()).toBe(false);
    expect(await counts()).toEqual({ a: 1, b: 1 });
    await end("run_1");
    expect(await counts()).toEqual({ b: 1 });
  });

  it("are not changed by the end of a run that was never counted", async () => {
    await start(aListedRun({ id: "run_1", runbookId: "a" }));
    await held.redis.hdel(runKeys.run("run_1"), "runbook");
    await held.redis.hset(runKeys.openCounts, "a", 5);
    await end("run_1");
    expect(await counts()).toEqual({ a: 5 });
  });

  it("are corrected by the daily check, which says so", async () => {
    await start(aListedRun({ id: "run_1", runbookId: "a" }));
    await held.redis.hset(runKeys.openCounts, "a", 3, "gone", -1);
    const check = createJournalCheck(held.redis, { audit: { verify: async () => undefined }, everyMs: 60_000, name: "w" });
    expect(await check()).toEqual([{ fault: "open_count_wrong", about: runKeys.openCounts }]);
    expect(await counts()).toEqual({ a: 1 });
  });
});

/** Workers that have swept before: the first sweep compares every wait with Redis' clock. */
async function sweepers(count: number) {
  const workers = Array.from({ length: count }, (_, index) => journalOf(`vm/${index}`));
  await Promise.all(workers.map(async (worker) => worker.due(1)));
  return workers;
}

describe("due runs", () => {
  it("are taken by one worker, oldest first, and are due again when nobody claims them", async () => {
    const workers = await sweepers(3);
    await putOpenRuns(held.redis, { from: 0, to: 100, runbookId: "a", dueAt: 1000, state: "queued" });
    await held.redis.zadd(runKeys.due, 1, "run_7");
    const [first = [], second = [], third] = await Promise.all(workers.map(async (worker) => worker.due(50)));
    expect(first[0]).toBe("run_7");
    expect(new Set([...first, ...second]).size).toBe(100);
    expect(third).toEqual([]);
    const [, score] = await held.redis.zrange(runKeys.due, "0", "0", "WITHSCORES");
    expect(Number(score)).toBeGreaterThan(Date.now());
    expect(Number(score)).toBeLessThanOrEqual(Date.now() + 2000);
  });

  it("cost sixteen workers as many claims as there are runs", async () => {
    const workers = await sweepers(16);
    await putOpenRuns(held.redis, { from: 0, to: 400, runbookId: "a", dueAt: 1000, state: "queued" });
    let [claims, won] = [0, 0];
    const sweep = async (journal: (typeof workers)[number]) => {
      for (const id of await journal.due(50)) {
        claims += 1;
        if (!("refused" in (await journal.claim(id)))) won += 1;
      }
    };
    await Promise.all(workers.map(sweep));
    expect({ claims, won }).toEqual({ claims: 400, won: 400 });
  });
});

it("takes back the live leases of its own name only, and reads no run that is not leased", async () => {
  await putOpenRuns(held.redis, { from: 0, to: 30, runbookId: "a", dueAt: 1000, state: "queued" });
  await putOpenRuns(held.redis, { from: 30, to: 500, runbookId: "a", dueAt: Date.now() + 86_400_000, state: "suspended" });
  for (let at = 0; at < 10; at += 1) await journalOf(at < 6 ? "a" : "b").claim(`run_${at}`);
  await held.redis.config("RESETSTAT");
  expect([...(await journalOf("a").reclaimLeases())].sort()).toEqual(["run_0", "run_1", "run_2", "run_3", "run_4", "run_5"]);
  expect(/cmdstat_hmget:calls=(\d+)/.exec(await held.redis.info("commandstats"))?.[1]).toBe("10");
  expect(await journalOf("c").claim("run_0")).toHaveProperty("lease");
  expect(await journalOf("c").claim("run_6")).toEqual({ refused: "leased" });
  expect(await journalOf("a").reclaimLeases()).toEqual([]);
});

it("writes open runs in tests as the scripts do", async () => {
  await start(aListedRun({ id: "run_0", runbookId: "a" }));
  const scripts = await valuesOf("run_0");
  await held.redis.flushall();
  await putOpenRuns(held.redis, { from: 0, to: 1, runbookId: "a", dueAt: 1000, state: "queued" });
  expect(await valuesOf("run_0")).toEqual(scripts);
});

/** What is kept of a run, but for when it was accepted and what it was accepted with. */
async function valuesOf(id: string): Promise<object> {
  const { head: _head, summary: _summary, ...run } = await held.redis.hgetall(runKeys.run(id));
  const places = (await held.redis.hget(runKeys.runPlaces, id)) ?? "";
  return {
    run,
    listed: await Promise.all(places.split(" ").map(async (place) => held.redis.zrange(place, "0", "-1"))),
    entries: await held.redis.llen(runKeys.journal(id)),
    due: (await held.redis.zrange(runKeys.due, "0", "-1")).includes(id),
    runs: await held.redis.zrange(runKeys.runs, "0", "-1"),
    open: await held.redis.smembers(runKeys.openRuns),
    counts: await counts(),
  };
}
