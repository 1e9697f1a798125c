import { setTimeout as sleep } from "node:timers/promises";
import { describeCacheBoard } from "../../testing/describe-cache-board.ts";
import { holdRedis } from "../../testing/hold-redis.ts";
import { createCacheBoard } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeCacheBoard("Redis", async () => {
  await held.redis.flushall();
  return { board: createCacheBoard(held.redis), wait: async (ms) => sleep(ms) };
});
