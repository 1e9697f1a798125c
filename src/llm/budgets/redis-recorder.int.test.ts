import { expect, it } from "@jest/globals";
import { aUsageEvent, aUsageReport } from "../../../test/builders/a-usage-report.ts";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { describeUsageRecording } from "../../../test/contracts/describe-usage-recording.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { dayMs } from "../../core/duration.ts";
import { createPriceTable } from "../usage/price-table.ts";
import { shippedPrices } from "../usage/prices.ts";
import { recordUsage } from "../usage/record-usage.ts";
import { createBudgetLedger } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);
const counts = { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 0, queues: [], batches: [] })) };

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

it.each([
  [2, "too_old", 0],
  [7, "accepted", 1_000_000],
])(
  "counts a report of six days ago once when it comes again after two days; of %d days that a report may be old it is %s",
  async (days, first, spent) => {
    const { ledger, clock } = await open(days * dayMs);
    // From then on the model has a price.
    await clock.advance(30 * dayMs);
    await ledger.define({ id: "checkout", limitMicroUsd: 10_000_000, periodMs: 30 * dayMs, periodStartsAt: clock.now() });
    const usage = { input_tokens: 200_000, output_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
    const report = aUsageReport({ id: "msg_3", at: clock.now() - 6 * dayMs, model: "claude-opus-4-8", usage });
    const prices = createPriceTable(shippedPrices);
    const send = async () => {
      const deps = { ledger, prices, publish: () => undefined, maxAgeMs: days * dayMs };
      const [result] = await recordUsage([report], clock.now(), deps);
      return result?.result;
    };
    expect(await send()).toBe(first);
    const ttls = await Promise.all((await held.redis.keys("{wl}:usage-ids:*")).map(async (key) => held.redis.pttl(key)));
    expect(ttls.every((ttl) => ttl > days * dayMs)).toBe(true);
    expect(ttls).toHaveLength(spent === 0 ? 0 : 1);
    await clock.advance(0.9 * dayMs);
    expect(await send()).toBe(first === "accepted" ? "duplicate" : "too_old");
    await clock.advance(1.2 * dayMs);
    expect(await send()).toBe("too_old");
    expect(await ledger.read("checkout")).toMatchObject({ spentMicroUsd: spent });
  },
);

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
