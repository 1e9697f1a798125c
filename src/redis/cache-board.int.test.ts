import { afterAll, beforeAll } from "@jest/globals";
import type { Redis } from "ioredis";
import { setTimeout as sleep } from "node:timers/promises";
import { describeCacheBoard } from "../testing/describe-cache-board.ts";
import { type RedisServer, startRedisServer } from "../testing/redis-server.ts";
import { createCacheBoard } from "./cache-board.ts";
import { connectRedis } from "./connection.ts";

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedisServer(["--appendfsync", "no"]);
  redis = connectRedis({ socketPath: server.socketPath }, "worker");
});
afterAll(async () => {
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

describeCacheBoard("Redis", async () => {
  await redis.flushall();
  return { board: createCacheBoard(redis), wait: async (ms) => sleep(ms) };
});
