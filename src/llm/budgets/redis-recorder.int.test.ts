import { expect, it } from "@jest/globals";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { describeUsageRecording } from "../../../test/contracts/describe-usage-recording.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { dayMs } from "../../core/duration.ts";
import { createBudgetLedger } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);
const counts = { countsOf: async () => ({ queued: 0, queues: [], batches: [] }) };

const open = async (usageMaxAgeMs?: number) => {
  await held.redis.flushall();
  const clock = createFakeClock();
  const age = usageMaxAgeMs === undefined ? {} : { usageMaxAgeMs };
  return { clock, ledger: createBudgetLedger({ redis: held.redis, clock, times: contractTimes, counts, ...age }) };
};

describeUsageRecording("Redis", async () => open());

it.each([0.25, 2, 5])("remembers an id for the %d days that a report may be old, over midnight", async (days) => {
  const { ledger, clock } = await open(days * dayMs);
  await ledger.define({ id: "checkout", limitMicroUsd: 1_000_000, periodMs: 30 * dayMs, periodStartsAt: clock.now() });
  await clock.advance(23.9 * 3_600_000);
  const event = aUsageEvent({ id: "m", at: clock.now() }, clock.now());
  await ledger.record([event]);
  await clock.advance(days * dayMs);
  expect(await ledger.record([event])).toMatchObject([{ kind: "duplicate" }]);
});

it("counts reports of one id that processes send at the same time as if they came one after another", async () => {
  const { ledger, clock } = await open();
  const other = createBudgetLedger({ redis: held.redis, clock, times: contractTimes, counts });
  await ledger.define({ id: "checkout", limitMicroUsd: 1_000_000_000, periodMs: dayMs, periodStartsAt: clock.now() });
  const reports = Array.from({ length: 40 }, (_, index) =>
    aUsageEvent({ id: "m", usage: { uncached: 100 * (index % 20), output: 0 } }, clock.now()),
  );
  await Promise.all(reports.map((event, index) => (index % 2 === 0 ? ledger : other).record([event])));
  expect(await ledger.read("checkout")).toMatchObject({ spentMicroUsd: 1900 * 3 });
});

it.each([
  ["in a list", 512],
  ["in a table", 0],
])("remembers an id in at most 120 bytes, %s", async (_name, maxEntries) => {
  const { ledger, clock } = await open();
  await held.redis.config("SET", "hash-max-ziplist-entries", maxEntries);
  await ledger.define({ id: "checkout", limitMicroUsd: 1_000_000_000, periodMs: dayMs, periodStartsAt: clock.now() });
  const usage = { uncached: 12_345, read: 184_221, write5m: 3_204, output: 1_893, reasoning: 402 };
  const count = 5000;
  for (let start = 0; start < count; start += 1000) {
    const page = Array.from({ length: 1000 }, (_, index) => aUsageEvent({ id: `msg_01QuantumFox${start + index}`, usage }, clock.now()));
    await ledger.record(page);
  }
  const keys = await held.redis.keys("{wl}:usage-ids:*");
  const sizes = await Promise.all(keys.map(async (key) => Number(await held.redis.memory("USAGE", key, "SAMPLES", 0))));
  const ids = await Promise.all(keys.map(async (key) => held.redis.hlen(key)));
  expect(ids.reduce((sum, length) => sum + length, 0)).toBe(count);
  const bytes = sizes.reduce((sum, size) => sum + size, 0) / count;
  expect(bytes).toBeGreaterThan(40);
  expect(bytes).toBeLessThanOrEqual(120);
});
