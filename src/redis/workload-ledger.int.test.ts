import { afterAll, beforeAll } from "@jest/globals";
import type { Redis } from "ioredis";
import { contractTimes, describeWorkloadLedger } from "../testing/describe-workload-ledger.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { startRedisServer, type RedisServer } from "../testing/redis-server.ts";
import { connectRedis } from "./connection.ts";
import { createWorkloadLedger } from "./workload-ledger.ts";

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

describeWorkloadLedger("Redis", async () => {
  await redis.flushall();
  const clock = createFakeClock();
  const counts = { countsOf: async () => ({ queued: 0, queues: [], batches: [] }) };
  return { clock, ledger: createWorkloadLedger({ redis, clock, times: contractTimes, counts }) };
});
