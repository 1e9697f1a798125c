import { expect, it } from "@jest/globals";
import { aNewDecision, describeDecisionLog } from "../../test/contracts/describe-decision-log.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { commandsOf } from "../../test/servers/commands-of.ts";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { createDecisionLog } from "./redis-decision-log.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeDecisionLog("Redis", async (clock, limits) => {
  await held.redis.flushall();
  return createDecisionLog(held.redis, clock, limits);
});

it("reads a page with the same number of commands, however many decisions there are", async () => {
  await held.redis.flushall();
  const log = createDecisionLog(held.redis, createFakeClock(90_000));
  const page = async () => {
    const cursor = (await log.list({}, { limit: 10 }))?.nextCursor;
    const next = { limit: 10, ...(cursor !== undefined && { cursor }) };
    return commandsOf(held.redis, async () => {
      await log.list({}, next);
      await log.list({ alertName: "Burn", decision: "refused" }, next);
    });
  };
  const some = (count: number, from: number) =>
    log.record(
      Array.from({ length: count }, (_, at) =>
        aNewDecision({ fingerprint: `f${from + at}`, at: 1000 + from + at, decision: at % 2 === 0 ? "refused" : "unmatched" }),
      ),
    );
  await some(50, 0);
  const few = await page();
  await some(1900, 50);
  expect(await page()).toEqual(few);
  expect(few["hget"]).toBeLessThanOrEqual(44);
});

it("leaves nothing of what it has removed", async () => {
  await held.redis.flushall();
  const clock = createFakeClock(90_000);
  const log = createDecisionLog(held.redis, clock, { maxEntries: 5, maxPerClass: 5, retentionMs: 1000 });
  await log.record(Array.from({ length: 50 }, (_, at) => aNewDecision({ fingerprint: `f${at}`, alertName: `a${at % 7}`, at: 90_000 })));
  await clock.advance(5000);
  await log.record([aNewDecision({ id: "last", fingerprint: "last", alertName: "Last", at: 95_000 })]);
  const keys = await held.redis.keys("{rb}:decisions*");
  // The list, entries, the last of each alert; by alert, name, kind and class.
  expect(keys).toHaveLength(7);
  const sizes = await Promise.all(
    keys.map(async (key) => ((await held.redis.type(key)) === "hash" ? held.redis.hlen(key) : held.redis.zcard(key))),
  );
  expect(sizes).toEqual(keys.map(() => 1));
});
