import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { createRecordedLog } from "../../../test/fakes/recorded-log.ts";
import { type RedisServer, startRedisServer } from "../../../test/servers/redis-server.ts";
import { until } from "../../../test/servers/until.ts";
import { createSystemClock } from "../../core/clock.ts";
import { connectRedis } from "./connection.ts";
import { runKeys } from "./run-keys.ts";
import { readableVersions, schemaVersion } from "./schema-version.ts";
import { startStoreWatch } from "./store-watch.ts";

let server: RedisServer;
beforeEach(async () => {
  server = await startRedisServer();
});
afterEach(async () => server[Symbol.asyncDispose]());

it("lets its user prepare each time before the store counts as fit, and not while it stays fit", async () => {
  const redis = connectRedis({ socketPath: server.socketPath }, "request");
  const ending = new AbortController();
  const preparing: (() => void)[] = [];
  const beforeUse = async () => new Promise<void>((resolve) => preparing.push(resolve));
  const options = { redis, durableBy: undefined, clock: createSystemClock(), log: createRecordedLog(), signal: ending.signal };
  const store = startStoreWatch({ ...options, beforeUse, intervalMs: 50 });
  try {
    for (const isFirst of [true, false]) {
      if (!isFirst) await server.restart();
      await until("the user prepares", () => preparing.length > 0);
      expect(store.isFit()).toBe(false);
      // A connection that changes again in between is one more reason to prepare.
      await until("the store is fit", () => {
        for (const resolve of preparing.splice(0)) resolve();
        return store.isFit();
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect([preparing.length, store.isFit()]).toEqual([0, true]);
    }
  } finally {
    ending.abort();
    for (const resolve of preparing) resolve();
    await store.close();
    redis.disconnect();
  }
});

it("takes over data of the version before, which is of this version from then on", async () => {
  const redis = connectRedis({ socketPath: server.socketPath }, "worker");
  const ending = new AbortController();
  await redis.hset(runKeys.meta, "schema", readableVersions[0] ?? 0);
  const options = { redis, durableBy: undefined, clock: createSystemClock(), log: createRecordedLog(), signal: ending.signal };
  const store = startStoreWatch({ ...options, intervalMs: 1500 });
  try {
    await until("the store is of this version", async () => (await redis.hget(runKeys.meta, "schema")) === String(schemaVersion));
    // A process of the earlier version judges the store once an interval; another one of this version must not be quicker.
    const another = startStoreWatch({ ...options, intervalMs: 3000 });
    expect(store.isFit()).toBe(false);
    await until("the store is fit", () => store.isFit());
    expect(another.isFit()).toBe(false);
    await until("the store is fit for the other one too", () => another.isFit());
    await another.close();
  } finally {
    ending.abort();
    await store.close();
    redis.disconnect();
  }
});
