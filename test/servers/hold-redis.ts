import { afterAll, beforeAll } from "@jest/globals";
import type { Redis } from "ioredis";
import { connectRedis } from "../../src/platform/redis/connection.ts";
import { type RedisServer, startRedisServer } from "./redis-server.ts";

/** A redis-server of one test file, and a connection to it. */
export interface HeldRedis {
  readonly server: RedisServer;
  readonly redis: Redis;
}

/** Starts a redis-server before the tests of this file, or of this block, and ends it after them; `settings` as for {@link startRedisServer}. */
export function holdRedis(settings: readonly string[] = []): HeldRedis {
  let held: HeldRedis | undefined;
  beforeAll(async () => {
    const server = await startRedisServer(settings);
    held = { server, redis: connectRedis(server, "worker") };
  });
  afterAll(async () => {
    held?.redis.disconnect();
    await held?.server[Symbol.asyncDispose]();
  });
  const now = (): HeldRedis => {
    if (held === undefined) throw new Error("Redis is there once the tests begin.");
    return held;
  };
  return {
    get server() {
      return now().server;
    },
    get redis() {
      return now().redis;
    },
  };
}
