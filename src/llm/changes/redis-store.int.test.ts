import { describeChangeLog } from "../../../test/contracts/describe-change-log.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createChangeLog } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeChangeLog("Redis", async () => {
  await held.redis.flushall();
  return createChangeLog(held.redis);
});
