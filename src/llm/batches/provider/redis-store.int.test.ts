import { describeProviderBatchStore } from "../../../../test/contracts/describe-provider-batch-store.ts";
import { holdRedis } from "../../../../test/servers/hold-redis.ts";
import { createProviderBatchStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeProviderBatchStore("Redis", async () => {
  await held.redis.flushall();
  return createProviderBatchStore(held.redis);
});
