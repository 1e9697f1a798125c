import { expect, it } from "@jest/globals";
import { describeOutbox } from "../../test/contracts/describe-outbox.ts";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { mailLane } from "../core/outbox.ts";
import { createOutbox } from "./redis-store.ts";

const held = holdRedis();

async function anEmptyOutbox() {
  await held.redis.flushall();
  return createOutbox(held.redis);
}

describeOutbox("the outbox in Redis", anEmptyOutbox);

it("keeps mails over a SIGKILL of Redis", async () => {
  const outbox = await anEmptyOutbox();
  await outbox.put({ key: "a", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  await held.server.kill();
  await held.server.restart();
  expect((await outbox.claim(mailLane, 2, 1000))?.row.key).toBe("a");
});

it("gives up a row that nobody can read, instead of claiming it for ever", async () => {
  const outbox = await anEmptyOutbox();
  await outbox.put({ key: "a", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  const [id] = await held.redis.zrange("{rb}:outbox:due", "0", "-1");
  await held.redis.hset(`{rb}:outbox:row:${id ?? ""}`, "row", '{"key":1}');
  expect(await outbox.claim(mailLane, 2, 1000)).toBeUndefined();
  expect(await outbox.status()).toEqual({ waiting: 0, gaveUp: 1 });
});

it("forgets what was sent after 30 days, and nothing that waits", async () => {
  const outbox = await anEmptyOutbox();
  await outbox.put({ key: "sent", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  const mail = await outbox.claim(mailLane, 2, 1000);
  await outbox.put({ key: "waits", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  expect(mail !== undefined && (await outbox.settle(mail, { kind: "sent", at: 3, messageId: "<m>" }))).toBe(true);
  const ttls = await Promise.all((await held.redis.keys("{rb}:outbox:row:*")).map((key) => held.redis.ttl(key)));
  expect(ttls.sort((a, b) => a - b)).toEqual([-1, 30 * 86_400]);
});

it("begins every key with the ledger's hash tag", async () => {
  const outbox = await anEmptyOutbox();
  await outbox.put({ key: "}{x}", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  expect((await held.redis.keys("*")).every((key) => key.startsWith("{rb}:outbox:"))).toBe(true);
});

it("counts a lease as over that ends later than one that begins now: the clock was set back", async () => {
  const outbox = await anEmptyOutbox();
  const now = Date.now();
  await outbox.put({ key: "a", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  const early = await outbox.claim(mailLane, now + 3_600_000, 60_000);
  const again = await outbox.claim(mailLane, now, 60_000);
  expect(again?.row.key).toBe("a");
  expect(early !== undefined && (await outbox.settle(early, { kind: "sent", at: now, messageId: "<m>" }))).toBe(false);
  expect(await outbox.claim(mailLane, now + 100, 60_000)).toBeUndefined();
  // A caller whose clock is behind takes nothing from one whose clock is right.
  expect(await outbox.claim(mailLane, now - 3_600_000, 60_000)).toBeUndefined();
});

it("counts a wait as over whose beginning lies ahead: the clock was set back", async () => {
  const outbox = await anEmptyOutbox();
  const now = Date.now();
  const ahead = now + 3_600_000;
  await outbox.put({ key: "put", to: "default", content: { kind: "review", runId: "run-1" }, putAt: ahead });
  const put = await outbox.claim(mailLane, now, 60_000);
  expect(put?.row.key).toBe("put");
  const waits = { at: ahead, dueAt: ahead + 1 };
  for (const settlement of [{ kind: "retry", ...waits, error: "e" } as const, { kind: "later", ...waits } as const]) {
    const mail = await outbox.claim(mailLane, ahead + 120_000, 60_000);
    expect(mail !== undefined && (await outbox.settle(mail, settlement))).toBe(true);
    expect((await outbox.claim(mailLane, now, 60_000))?.row.key).toBe("put");
  }
  const sent = await outbox.claim(mailLane, ahead + 240_000, 60_000);
  expect(sent !== undefined && (await outbox.settle(sent, { kind: "sent", at: ahead, messageId: "<m>" }))).toBe(true);
  expect(await outbox.claim(mailLane, now, 60_000)).toBeUndefined();
});

it("lets a retry wait however late it is due", async () => {
  const outbox = await anEmptyOutbox();
  const now = Date.now();
  await outbox.put({ key: "a", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  const mail = await outbox.claim(mailLane, now, 60_000);
  expect(mail !== undefined && (await outbox.settle(mail, { kind: "retry", at: now, dueAt: now + 3_600_000, error: "e" }))).toBe(true);
  expect(await outbox.claim(mailLane, now + 1, 60_000)).toBeUndefined();
});
