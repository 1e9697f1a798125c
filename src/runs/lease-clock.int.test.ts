import { beforeEach, describe, expect, it } from "@jest/globals";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { createSystemClock } from "../core/clock.ts";
import { damagedSummary } from "../core/run.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { runScripts } from "./redis-scripts.ts";
import { createRunJournal } from "./redis-store.ts";

/** Redis' clock was set back while a run was leased: its lease ends an hour from now, although no lease is longer than six seconds. */
const held = holdRedis();
const leaseMs = 6000;
const hourMs = 3_600_000;

beforeEach(async () => {
  await held.redis.flushall();
});

async function leaveLease(endsInMs: number): Promise<void> {
  const until = Date.now() + endsInMs;
  await held.redis.hset(runKeys.run("r"), { state: "running", token: "1:a", epoch: 1, head: "h", leaseUntil: until, owner: "vm/0" });
  await held.redis.sadd(runKeys.openRuns, "r");
  await held.redis.zadd(runKeys.due, String(until), "r");
}

async function claim(): Promise<string> {
  const keys = { run: runKeys.run("r"), journal: runKeys.journal("r"), due: runKeys.due };
  const reply = await runScripts.claim.run(held.redis, { keys, args: { runId: "r", worker: "vm/1", leaseMs, nonce: "n" } });
  return Array.isArray(reply) ? String(reply[0]) : "";
}

function journalWith(readTime?: () => Promise<number>) {
  const heard: number[] = [];
  const journal = createRunJournal(held.redis, {
    worker: "vm/1",
    leaseMs,
    nonce: () => "n",
    clock: createSystemClock(),
    ...(readTime !== undefined && { readTime }),
    clockSetBack: async (byMs) => void heard.push(byMs),
  });
  return { journal, heard };
}

describe("a bucket", () => {
  it("is full for no longer than its window after the clock was set back", async () => {
    const { journal } = journalWith();
    const claims = [{ bucket: "b", max: 1, windowMs: 60_000, amount: 1 }];
    const append = async (runId: string) => {
      await held.redis.hset(runKeys.run(runId), { state: "running", token: "1:a", epoch: 1, head: "h", leaseUntil: Date.now() + leaseMs });
      await held.redis.hset(runKeys.run(runId), { summary: JSON.stringify({ ...damagedSummary(runId), state: "running" }) });
      const lease = { runId, token: "1:a", epoch: 1 };
      const unchanged = { entries: [], summary: {}, recordedNotices: { stop: false, resolved: false } };
      return journal.append(lease, { ...unchanged, head: "h", state: "running", claims });
    };
    expect((await append("r1")).kind).toBe("ok");
    // What setting the clock back does to every TTL.
    for (const key of await held.redis.keys(`${runKeys.bucket("b")}*`)) await held.redis.pexpire(key, 60_000 + hourMs);
    const refused = await append("r2");
    if (refused.kind !== "claim_refused") throw new Error(refused.kind);
    expect(refused.retryAt).toBeLessThanOrEqual(Date.now() + 60_000);
    expect(await held.redis.pttl(runKeys.bucket("b"))).toBeLessThanOrEqual(60_000);
  });
});

describe("a lease of a run", () => {
  it("protects it while it may be one of this clock", async () => {
    await leaveLease(leaseMs - 500);
    expect(await claim()).toBe("leased");
  });

  it("is over when it ends later than one that begins now", async () => {
    await leaveLease(hourMs);
    expect(await claim()).toBe("ok");
  });

  it("is shortened by its holder", async () => {
    await leaveLease(hourMs);
    const keys = { run: runKeys.run("r"), due: runKeys.due };
    expect(await runScripts.renew.run(held.redis, { keys, args: { runId: "r", token: "1:a", leaseMs } })).toEqual([1, "", "", ""]);
    expect(Number(await held.redis.hget(runKeys.run("r"), "leaseUntil"))).toBeLessThan(Date.now() + leaseMs + 1000);
    expect(await claim()).toBe("leased");
  });

  it("is over for a run that was given back, which is not tried only when the clock has caught up", async () => {
    let backMs = 0;
    const { journal, heard } = journalWith(async () => Date.now() - backMs);
    await journal.due(10);
    await held.redis.hset(runKeys.run("r"), { state: "queued", epoch: 1, head: "h" });
    await held.redis.sadd(runKeys.openRuns, "r");
    await held.redis.zadd(runKeys.due, String(Date.now() + hourMs), "r");
    expect(await journal.due(10)).toEqual([]);
    backMs = hourMs;
    expect(await journal.due(10)).toEqual(["r"]);
    expect(heard).toHaveLength(1);
    expect(await claim()).toBe("ok");
  });

  it("does not hide a wait that began before the clock was set back", async () => {
    const wait = { state: "suspended", epoch: 1, head: "h", wakeAt: Date.now() + hourMs, releasedAt: Date.now() };
    await held.redis.hset(runKeys.run("r"), wait);
    await held.redis.sadd(runKeys.openRuns, "r");
    await held.redis.zadd(runKeys.due, String(wait.wakeAt), "r");
    expect(await claim()).toBe("waiting");
    let backMs = 0;
    const { journal } = journalWith(async () => Date.now() - backMs);
    expect(await journal.due(10)).toEqual([]);
    await held.redis.hset(runKeys.run("r"), { releasedAt: Date.now() + hourMs });
    backMs = hourMs;
    expect(await journal.due(10)).toEqual(["r"]);
    expect(await claim()).toBe("ok");
  });

  it("makes its run due at the first look, and after the clock was set back, which is told", async () => {
    await leaveLease(hourMs);
    expect(await journalWith().journal.due(10)).toEqual(["r"]);

    await held.redis.flushall();
    let backMs = 0;
    const { journal, heard } = journalWith(async () => Date.now() - backMs);
    expect(await journal.due(10)).toEqual([]);
    await leaveLease(leaseMs);
    expect(await journal.due(10)).toEqual([]);
    backMs = hourMs;
    expect(await journal.due(10)).toEqual(["r"]);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toBeGreaterThan(hourMs - 1000);
    // It was just taken.
    expect(await journal.due(10)).toEqual([]);
    expect(heard).toHaveLength(1);
  });
});
