import { afterAll, beforeAll, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { describeOutbox } from "../testing/describe-outbox.ts";
import { startRedisServer, type RedisServer } from "../testing/redis-server.ts";
import { connectRedis } from "./connection.ts";
import { createOutbox } from "./outbox.ts";

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await startRedisServer();
  redis = connectRedis({ socketPath: server.socketPath }, "worker");
});

afterAll(async () => {
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

async function anEmptyOutbox() {
  await redis.flushall();
  return createOutbox(redis);
}

describeOutbox("the outbox in Redis", anEmptyOutbox);

it("keeps mails over a SIGKILL of Redis", async () => {
  const outbox = await anEmptyOutbox();
  await outbox.put({ key: "a", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  await server.kill();
  await server.restart();
  expect((await outbox.claim(2, 1000))?.row.key).toBe("a");
});

it("gives up a row that nobody can read, instead of claiming it for ever", async () => {
  const outbox = await anEmptyOutbox();
  await outbox.put({ key: "a", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  const [id] = await redis.zrange("{rb}:outbox:due", "0", "-1");
  await redis.hset(`{rb}:outbox:row:${id ?? ""}`, "row", '{"key":1}');
  expect(await outbox.claim(2, 1000)).toBeUndefined();
  expect(await outbox.status()).toEqual({ waiting: 0, gaveUp: 1 });
});

it("forgets what was sent after 30 days, and nothing that waits", async () => {
  const outbox = await anEmptyOutbox();
  await outbox.put({ key: "sent", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  const mail = await outbox.claim(2, 1000);
  await outbox.put({ key: "waits", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  expect(mail !== undefined && (await outbox.settle(mail, { kind: "sent", at: 3, messageId: "<m>" }))).toBe(true);
  const ttls = await Promise.all((await redis.keys("{rb}:outbox:row:*")).map((key) => redis.ttl(key)));
  expect(ttls.sort((a, b) => a - b)).toEqual([-1, 30 * 86_400]);
});

it("begins every key with the ledger's hash tag", async () => {
  const outbox = await anEmptyOutbox();
  await outbox.put({ key: "}{x}", to: "default", content: { kind: "review", runId: "run-1" }, putAt: 1 });
  expect((await redis.keys("*")).every((key) => key.startsWith("{rb}:outbox:"))).toBe(true);
});
