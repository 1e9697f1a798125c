import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { StoreUnavailable } from "../intake/ports.ts";
import { aUsageEvent } from "../testing/a-usage-report.ts";
import { contractTimes, describeWorkloadLedger } from "../testing/describe-workload-ledger.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { startRedisServer, type RedisServer } from "../testing/redis-server.ts";
import { connectRedis } from "./connection.ts";
import { createWorkloadLedger } from "./workload-ledger.ts";

let server: RedisServer;
let redis: Redis;
let failFast: Redis;

beforeAll(async () => {
  server = await startRedisServer(["--appendfsync", "no"]);
  redis = connectRedis({ socketPath: server.socketPath }, "worker");
  failFast = connectRedis({ socketPath: server.socketPath }, "request");
  await once(failFast, "ready");
});

afterAll(async () => {
  redis.disconnect();
  failFast.disconnect();
  await server[Symbol.asyncDispose]();
});

describeWorkloadLedger("Redis", async () => {
  await redis.flushall();
  const clock = createFakeClock();
  const counts = { countsOf: async () => ({ queued: 0, queues: [], batches: [] }) };
  return { clock, ledger: createWorkloadLedger({ redis, clock, times: contractTimes, counts }) };
});

describe("a Redis that cannot write", () => {
  const open = async () => {
    await redis.flushall();
    const clock = createFakeClock();
    const counts = { countsOf: async () => ({ queued: 0, queues: [], batches: [] }) };
    // The server's connection fails at once; a worker's would wait until Redis can write again.
    const ledger = createWorkloadLedger({ redis: failFast, clock, times: contractTimes, counts });
    await ledger.define({ id: "checkout", limitMicroUsd: 1_000_000, periodMs: 3_600_000, periodStartsAt: 0 });
    return { clock, ledger };
  };
  const faults: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>])[] = [
    ["full", () => redis.config("SET", "maxmemory", "1"), () => redis.config("SET", "maxmemory", "0")],
    ["read-only", () => redis.replicaof("127.0.0.1", 1), () => redis.replicaof("NO", "ONE")],
  ];

  it.each(faults)("is unavailable while it is %s, and nothing was counted", async (_fault, begin, end) => {
    const { ledger, clock } = await open();
    const event = aUsageEvent({ id: "r1" }, clock.now());
    await begin();
    try {
      await expect(ledger.admit({ ticketId: "T-1", budget: "checkout", estimateMicroUsd: 5 })).rejects.toBeInstanceOf(StoreUnavailable);
      await expect(ledger.record([event])).rejects.toBeInstanceOf(StoreUnavailable);
    } finally {
      await end();
    }
    expect(await ledger.record([event])).toEqual(["accepted"]);
    expect(await ledger.read("checkout")).toMatchObject({ running: 0, spentMicroUsd: 3000 });
  });
});
