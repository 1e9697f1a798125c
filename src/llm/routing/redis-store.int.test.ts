import { describeModelRoutes } from "../../../test/contracts/describe-model-routes.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createModelRoutingStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeModelRoutes("Redis", async () => {
  await held.redis.flushall();
  return createModelRoutingStore({ redis: held.redis, clock: createFakeClock() });
});
