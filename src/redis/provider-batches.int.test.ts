import { afterAll, beforeAll } from "@jest/globals";
import type { Redis } from "ioredis";
import { describeProviderBatchStore } from "../testing/describe-provider-batch-store.ts";
import { type RedisServer, startRedisServer } from "../testing/redis-server.ts";
import { connectRedis } from "./connection.ts";
import { createProviderBatchStore } from "./provider-batches.ts";

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

describeProviderBatchStore("Redis", async () => {
  await redis.flushall();
  return createProviderBatchStore(redis);
});
