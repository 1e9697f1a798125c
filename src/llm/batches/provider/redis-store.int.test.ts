import { describeProviderBatchStore } from "../../../testing/describe-provider-batch-store.ts";
import { holdRedis } from "../../../testing/hold-redis.ts";
import { createProviderBatchStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeProviderBatchStore("Redis", async () => {
  await held.redis.flushall();
  return createProviderBatchStore(held.redis);
});
