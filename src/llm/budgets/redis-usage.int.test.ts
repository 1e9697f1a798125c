import { beforeEach, expect, it } from "@jest/globals";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { usageOf } from "../../../test/contracts/usage-of.ts";
import { createFakeClock, type FakeClock } from "../../../test/fakes/fake-clock.ts";
import { countCommands } from "../../../test/servers/count-commands.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { dayMs } from "../../core/duration.ts";
import { workloadKeys } from "../../platform/redis/workload-keys.ts";
import { type BudgetLedger, defaultUsageRetention, type UsageRetention } from "./budget-ledger.ts";
import { createBudgetLedger } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);
const hour = 3_600_000;
let clock: FakeClock;

beforeEach(async () => {
  await held.redis.flushall();
  clock = createFakeClock();
});

const open = async (change: Partial<UsageRetention> = {}): Promise<BudgetLedger> => {
  const counts = { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 0, queues: [], batches: [] })) };
  const usageRetention = { ...defaultUsageRetention, ...change };
  const ledger = createBudgetLedger({ redis: held.redis, clock, times: contractTimes, counts, usageRetention });
  await ledger.define({ id: "checkout", limitMicroUsd: 1_000_000, periodMs: hour, periodStartsAt: 0 });
  return ledger;
};
/** Events at these times before now. */
const eventsAt = (prefix: string, backMs: readonly number[]) =>
  backMs.map((back, index) => aUsageEvent({ id: `${prefix}${index}`, at: clock.now() - back }, clock.now()));
const every = (count: number, from: number, stepMs: number) => Array.from({ length: count }, (_, index) => from - index * stepMs);
/** Keeps events of different ids without counting them, as if they came after the first one that was recorded. */
const seed = async (events: readonly UsageEvent[]) => {
  const members = events.flatMap((event) => [String(event.at), `b10 ${JSON.stringify(event)}`]);
  for (let start = 0; start < members.length; start += 10_000)
    await held.redis.zadd(workloadKeys.usageEvents, ...members.slice(start, start + 10_000));
  await held.redis.hincrby(workloadKeys.usageEventsKept, "added", events.length);
};

it("reads a window with as many commands and bytes when ten times as much is kept outside of it", async () => {
  const ledger = await open();
  await ledger.record(eventsAt("inside", every(200, hour, 1000)));
  const [from, to] = [clock.now() - hour, clock.now()];
  const measure = async () =>
    countCommands(held.redis, async () => ({ kept: await ledger.usageKept(from, to), events: await usageOf(ledger, from, to) }));
  const alone = await measure();
  expect(alone.result.events).toHaveLength(200);
  for (const [prefix, back] of [
    ["earlier", 30 * hour],
    ["later", -1],
  ] as const)
    await ledger.record(eventsAt(prefix, every(1000, back, back > 0 ? 1000 : 100)));
  const among = await measure();
  expect(among.result).toEqual(alone.result);
  expect(among.commands.calls).toEqual(alone.commands.calls);
  expect(among.commands.total).toBeLessThanOrEqual(8);
  // The numbers in the reply of INFO may be a few characters longer.
  expect(among.commands.outputBytes).toBeLessThanOrEqual(alone.commands.outputBytes + 64);
});

it("reads each event once, however many ended in the same millisecond and whatever the size of a page", async () => {
  const ledger = await open();
  const backs = [...every(2100, 5000, 0), ...every(2100, 4999, 0), ...every(50, 4000, 1)];
  await seed(eventsAt("r", backs));
  const events = await usageOf(ledger, 0, clock.now());
  expect(new Set(events.map(({ id }) => id)).size).toBe(backs.length);
  expect(events).toHaveLength(backs.length);
  expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).toSorted((a, b) => a - b));
  expect(await ledger.usageKept(0, clock.now())).toEqual({ count: backs.length, complete: true });
  expect(await ledger.usageKept(clock.now() - 5000, clock.now())).toEqual({ count: backs.length, complete: true });
});

it("drops the earliest events when their bytes are used up, and says which windows are no longer whole", async () => {
  const maxBytes = 60_000;
  const ledger = await open({ maxBytes });
  const now = clock.now();
  for (let start = 0; start < 500; start += 100) await ledger.record(eventsAt(`r${start}-`, every(100, 500_000 - start * 1000, 1000)));
  const events = await usageOf(ledger, 0, now + 1);
  const bytes = Number(await held.redis.hget(workloadKeys.usageEventsKept, "bytes"));
  expect(bytes).toBeLessThanOrEqual(maxBytes);
  expect(bytes).toBeGreaterThan(maxBytes - 1000);
  expect(await held.redis.memory("USAGE", workloadKeys.usageEvents, "SAMPLES", 0)).toBeLessThan(maxBytes * 1.3);
  expect(events.length).toBeGreaterThan(60);
  expect(events.at(-1)?.id).toBe("r400-99");
  const first = events[0]?.at ?? 0;
  expect(await ledger.usageKept(first, now)).toMatchObject({ complete: true });
  expect(await ledger.usageKept(first - 1000, now)).toMatchObject({ complete: false });
});

it("drops events that are older than they are kept, also when none come any more", async () => {
  const ledger = await open({ retentionMs: 2 * dayMs });
  await ledger.record(eventsAt("old", [dayMs + hour, dayMs]));
  await clock.advance(dayMs);
  await ledger.record(eventsAt("new", [0]));
  expect((await usageOf(ledger, 0, clock.now() + 1)).map(({ id }) => id)).toEqual(["old1", "new0"]);
  expect(await ledger.usageKept(clock.now() - 2 * dayMs - hour, clock.now())).toMatchObject({ complete: false });
  expect(await ledger.usageKept(clock.now() - 2 * dayMs, clock.now())).toMatchObject({ complete: true });
  const keys = [workloadKeys.usageEvents, workloadKeys.usageEventsKept];
  for (const key of keys) expect(await held.redis.pttl(key)).toBeGreaterThan(2 * dayMs - 60_000);
});

it("keeps the newest of the events of an id, of more than nine and of two that are equal", async () => {
  const ledger = await open();
  await ledger.record(eventsAt("r", [1000]));
  const costs = [...Array.from({ length: 12 }, (_, index) => 100 + index), 111, 100];
  for (const costMicroUsd of costs) {
    await ledger.correct({ budget: "checkout", provider: "anthropic", usageId: "r0", costMicroUsd, by: "ann", reason: "the invoice" });
    expect(await usageOf(ledger, 0, clock.now())).toMatchObject([{ id: "r0", costMicroUsd }]);
  }
  expect(await ledger.usageKept(0, clock.now())).toMatchObject({ count: 1 + costs.length });
  expect(await ledger.recentUsage(10)).toMatchObject([{ id: "r0", costMicroUsd: 100 }]);
});

it("answers one event for each id when a page ends between an event and the one that takes its place", async () => {
  const ledger = await open();
  const count = 2100;
  await ledger.record(eventsAt("first", [1000]));
  await seed(eventsAt("r", every(count - 1, 1000, 0)));
  await ledger.record([aUsageEvent({ id: "first0", at: clock.now() - 1000, usage: { uncached: 1000, output: 4000 } }, clock.now())]);
  expect(await ledger.usageKept(0, clock.now())).toEqual({ count: count + 1, complete: true });
  for (const events of [await usageOf(ledger, 0, clock.now()), await ledger.recentUsage(count + 1)]) {
    expect(events).toHaveLength(count);
    expect(events.filter(({ id }) => id === "first0")).toMatchObject([{ tokens: { output: 4000 } }]);
  }
});

it("reads the events that an older version wrote into its stream, and moves them once", async () => {
  const ledger = await open();
  const old = eventsAt("old", [3000, 1000, 2000]);
  for (const event of old) await held.redis.xadd(workloadKeys.oldUsage, "*", "event", JSON.stringify(event));
  await ledger.record(eventsAt("new", [500]));
  expect((await ledger.recentUsage(10)).map(({ id }) => id)).toEqual(["new0", "old1", "old2", "old0"]);
  expect(await ledger.usageKept(clock.now() - hour, clock.now())).toEqual({ count: 4, complete: true });
  expect(await held.redis.exists(workloadKeys.oldUsage)).toBe(0);
  // A process of the older version that still runs writes on.
  for (const event of eventsAt("late", every(1200, 400, 0)))
    await held.redis.xadd(workloadKeys.oldUsage, "*", "event", JSON.stringify(event));
  expect(await ledger.usageKept(clock.now() - hour, clock.now())).toEqual({ count: 1204, complete: true });
});

it("does not call windows whole of which an older version has dropped events", async () => {
  const ledger = await open();
  for (const event of eventsAt("old", [4000, 3000, 2000, 1000]))
    await held.redis.xadd(workloadKeys.oldUsage, "*", "event", JSON.stringify(event));
  await held.redis.xtrim(workloadKeys.oldUsage, "MAXLEN", 2);
  expect(await ledger.usageKept(clock.now() - 2000, clock.now())).toEqual({ count: 2, complete: false });
  expect(await ledger.usageKept(clock.now() - 1999, clock.now())).toEqual({ count: 1, complete: true });
});
