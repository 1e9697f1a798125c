import { expect, it } from "@jest/globals";
import { aSecurityFinding, describeSecurityFindings } from "../../../test/contracts/describe-security-findings.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { workloadKeys } from "../../platform/redis/workload-keys.ts";
import { createDeliveryLog } from "./redis-deliveries.ts";
import { createSecurityFindingStore } from "./redis-security-findings.ts";
import { deliveryRetentionMs } from "./security-finding-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeSecurityFindings("Redis", async ({ clock, retentionMs }) => {
  await held.redis.flushall();
  return createSecurityFindingStore({ redis: held.redis, clock, retentionMs });
});

/** Commands that the server has processed, and the bytes that it was sent. */
async function commandsOf(work: () => Promise<unknown>): Promise<number> {
  const read = async () => Number(/total_commands_processed:(\d+)/.exec(await held.redis.info("stats"))?.[1]);
  const before = await read();
  await work();
  return (await read()) - before - 1;
}

it("counts the open findings with one command, however many there are", async () => {
  await held.redis.flushall();
  const store = createSecurityFindingStore({ redis: held.redis, clock: createFakeClock(), retentionMs: 1000 });
  for (let nth = 0; nth < 40; nth += 1) await store.report(aSecurityFinding({ ref: String(nth) }));
  expect(await commandsOf(async () => store.openCounts())).toBe(1);
});

it("lists the serious ones with one command, however many are open", async () => {
  await held.redis.flushall();
  const store = createSecurityFindingStore({ redis: held.redis, clock: createFakeClock(), retentionMs: 1000 });
  for (let nth = 0; nth < 40; nth += 1) await store.report(aSecurityFinding({ ref: String(nth) }));
  expect(await commandsOf(async () => store.openSerious())).toBe(1);
});

it("leaves nothing of a finding that was pruned, and no text of its source and ref in the names of keys", async () => {
  await held.redis.flushall();
  const clock = createFakeClock();
  const store = createSecurityFindingStore({ redis: held.redis, clock, retentionMs: 1000 });
  await store.report(aSecurityFinding({ ref: "a name of a person", state: "fixed" }));
  expect((await held.redis.keys("*")).join(" ")).not.toContain("person");
  await clock.advance(1001);
  expect(await store.prune()).toBe(1);
  expect(await held.redis.keys("*")).toEqual([]);
});

it("keeps the id of a delivery for as long as it may be offered again", async () => {
  await held.redis.flushall();
  const log = createDeliveryLog(held.redis);
  expect(await log.has("72d3162e-cc78-11e3-81ab-4c9367dc0958")).toBe(false);
  await log.record("72d3162e-cc78-11e3-81ab-4c9367dc0958");
  expect(await log.has("72d3162e-cc78-11e3-81ab-4c9367dc0958")).toBe(true);
  expect(await log.has("another")).toBe(false);
  const [key = ""] = await held.redis.keys("*");
  expect(await held.redis.pttl(key)).toBeGreaterThan(deliveryRetentionMs - 60_000);
  expect(key).toBe(workloadKeys.findingDelivery("72d3162e-cc78-11e3-81ab-4c9367dc0958"));
});
