import { afterAll, beforeAll } from "@jest/globals";
import type { Redis } from "ioredis";
import { describeCanaryStore } from "../testing/describe-canary-store.ts";
import { describePromptStore } from "../testing/describe-prompt-store.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { startRedisServer, type RedisServer } from "../testing/redis-server.ts";
import { connectRedis } from "./connection.ts";
import { createCanaryStore, createPromptStore } from "./workload-prompts.ts";

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

describePromptStore("Redis", async () => {
  await redis.flushall();
  return createPromptStore({ redis, clock: createFakeClock() });
});

describeCanaryStore("Redis", async () => {
  await redis.flushall();
  return createCanaryStore(redis);
});
