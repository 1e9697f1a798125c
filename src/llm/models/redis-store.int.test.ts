import { describeModelListings } from "../../../test/contracts/describe-model-listings.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createModelListingStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeModelListings("Redis", async () => {
  await held.redis.flushall();
  return createModelListingStore(held.redis);
});
