import { afterEach, expect, it } from "@jest/globals";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { createAuditReader } from "../audit/redis-audit-reader.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createJournalCheck } from "./redis-journal-check.ts";

const held = holdRedis();

afterEach(async () => {
  await held.redis.flushall();
});

const look = async () => createJournalCheck(held.redis, { audit: { verify: async () => undefined }, everyMs: 60_000, name: "w" })();
const again = async () => {
  await held.redis.del(runKeys.checked);
  return look();
};

it("mends an open run that nobody would look at again, and leaves those that wait for a person", async () => {
  const states = {
    lost: ["queued"],
    running: ["running"],
    timed: ["suspended", 5],
    person: ["suspended", -1],
    damaged: ["damaged"],
  } as const;
  for (const [id, [state, wakeAt]] of Object.entries(states)) {
    await held.redis.hset(runKeys.run(id), { state, ...(wakeAt !== undefined && { wakeAt }) });
    await held.redis.sadd(runKeys.openRuns, id);
  }
  await held.redis.zadd(runKeys.due, 1, "running");
  expect((await look()).toSorted((a, b) => (a.about < b.about ? -1 : 1))).toEqual([
    { fault: "run_not_due", about: "lost" },
    { fault: "run_not_due", about: "timed" },
  ]);
  expect((await held.redis.zrange(runKeys.due, "0", "-1")).sort()).toEqual(["lost", "running", "timed"]);
  expect(await again()).toEqual([]);
});

it("forgets a run that is gone and one that has ended", async () => {
  await held.redis.sadd(runKeys.openRuns, "gone", "over");
  await held.redis.hset(runKeys.run("over"), { state: "ended" });
  await held.redis.zadd(runKeys.due, 1, "late");
  expect((await look()).map(({ fault, about }) => `${about} ${fault}`).sort()).toEqual([
    "gone open_run_gone",
    "late open_run_gone",
    "over open_run_ended",
  ]);
  expect(await held.redis.scard(runKeys.openRuns)).toBe(0);
  expect(await again()).toEqual([]);
});

it("releases the locks of an ended run, and none that another run holds", async () => {
  await held.redis.zadd(runKeys.runs, 1, "over", 2, "open");
  await held.redis.hset(runKeys.run("over"), { state: "ended" });
  await held.redis.hset(runKeys.run("open"), { state: "running" });
  const keyOf = (lock: string) => runKeys.claim({ lock });
  const [left, taken, rightful] = [keyOf("left"), keyOf("taken"), keyOf("held")] as const;
  await held.redis.mset(left, "over", taken, "open", rightful, "open");
  await held.redis.sadd(runKeys.locks("over"), left, taken);
  await held.redis.sadd(runKeys.locks("open"), rightful);
  expect(await look()).toEqual([{ fault: "lock_left", about: "over" }]);
  expect(await held.redis.mget(left, taken, rightful)).toEqual([null, "open", "open"]);
});

it("names a chain that does not verify, and is done by one process a day", async () => {
  await held.redis.zadd(runKeys.runs, Date.now(), "run_1");
  await held.redis.hset(runKeys.run("run_1"), { state: "ended", head: "nothing" });
  await held.redis.rpush(runKeys.journal("run_1"), '{"at":1,"kind":"accepted"}');
  const audit = createAuditReader(held.redis, () => Date.now());
  const check = createJournalCheck(held.redis, { audit, everyMs: 60_000, name: "a" });
  expect(await check()).toEqual([{ fault: "broken_chain", about: expect.stringContaining("run_1 1: ") }]);
  expect(await createJournalCheck(held.redis, { audit, everyMs: 60_000, name: "b" })()).toEqual([]);
});
