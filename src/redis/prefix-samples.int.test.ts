import { afterAll, beforeAll, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { aBlock, aPrefixSample } from "../testing/a-prefix-sample.ts";
import { describePrefixSamples } from "../testing/describe-prefix-samples.ts";
import { type RedisServer, startRedisServer } from "../testing/redis-server.ts";
import { connectRedis } from "./connection.ts";
import { createPrefixSampleStore } from "./prefix-samples.ts";

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

describePrefixSamples("Redis", async (caps) => {
  await redis.flushall();
  return createPrefixSampleStore(redis, caps);
});

it("a full group of long conversations stays within a few megabytes", async () => {
  await redis.flushall();
  const store = createPrefixSampleStore(redis);
  const blocks = Array.from({ length: 100 }, (_, index) => aBlock(`block ${index}`, 500, { role: "user", layer: "history" }));
  for (let start = 0; start < 2000; start += 500)
    await store.add(Array.from({ length: 500 }, (_, index) => aPrefixSample({ id: `s${start + index}`, at: start + index, blocks })));
  const [key] = await redis.keys("{wl}:p:*[0-9a-f]");
  const bytes = Number(await redis.memory("USAGE", key ?? "", "SAMPLES", 0));
  expect(await redis.llen(key ?? "")).toBe(2000);
  expect(bytes).toBeLessThan(6_000_000);
});
