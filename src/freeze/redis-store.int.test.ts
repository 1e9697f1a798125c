import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { type RedisServer, startRedisServer } from "../../test/servers/redis-server.ts";
import { connectRedis } from "../platform/redis/connection.ts";
import { createRunNotices } from "../runs/redis-run-notices.ts";
import { createFreezeStore } from "./redis-store.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

it("keeps every freeze over the death of Redis and of every process, oldest first, until it is lifted", async () => {
  const before = connectRedis({ socketPath: server.socketPath }, "worker");
  const late = { scope: "all", by: "bob", reason: "an outage", at: 20, undo: false };
  const early = { scope: "target:t/1", by: "ann", reason: "a release", at: 10, undo: true };
  await createFreezeStore(before, { notices: createRunNotices(before) }).put(late);
  await createFreezeStore(before, { notices: createRunNotices(before) }).put(early);
  before.disconnect();
  await server.kill();
  await server.restart();
  const after = connectRedis({ socketPath: server.socketPath }, "worker");
  const board = createFreezeStore(after, { notices: createRunNotices(after) });
  expect(await board.list()).toEqual([early, late]);
  expect(await board.remove("all")).toBe(true);
  expect(await board.remove("all")).toBe(false);
  expect(await board.list()).toEqual([early]);
  await after.quit();
});

it("replaces the freeze of a scope", async () => {
  const redis = connectRedis({ socketPath: server.socketPath }, "worker");
  await redis.flushall();
  const board = createFreezeStore(redis, { notices: createRunNotices(redis) });
  await board.put({ scope: "all", by: "ann", reason: "a release", at: 1, undo: true });
  await board.put({ scope: "all", by: "bob", reason: "an outage", at: 2, undo: false });
  expect(await board.list()).toEqual([{ scope: "all", by: "bob", reason: "an outage", at: 2, undo: false }]);
  await redis.quit();
});
