import { afterAll, beforeAll } from "@jest/globals";
import type { Redis } from "ioredis";
import { describeChangeLog } from "../testing/describe-change-log.ts";
import { type RedisServer, startRedisServer } from "../testing/redis-server.ts";
import { createChangeLog } from "./change-log.ts";
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

describeChangeLog("Redis", async () => {
  await redis.flushall();
  return createChangeLog(redis);
});
