import { setTimeout as sleep } from "node:timers/promises";
import { describeCacheBoard } from "../../../test/contracts/describe-cache-board.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createCacheBoard } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeCacheBoard("Redis", async () => {
  await held.redis.flushall();
  return { board: createCacheBoard(held.redis), wait: async (ms) => sleep(ms) };
});
