import { describeChangeLog } from "../../testing/describe-change-log.ts";
import { holdRedis } from "../../testing/hold-redis.ts";
import { createChangeLog } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeChangeLog("Redis", async () => {
  await held.redis.flushall();
  return createChangeLog(held.redis);
});
