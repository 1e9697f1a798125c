import { describeCacheAnalysisStore } from "../../../test/contracts/describe-cache-analysis-store.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createCacheAnalysisStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeCacheAnalysisStore("Redis", async () => {
  await held.redis.flushall();
  return createCacheAnalysisStore(held.redis);
});
