import { describeModelRoutes } from "../../testing/describe-model-routes.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { holdRedis } from "../../testing/hold-redis.ts";
import { createModelRouteStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeModelRoutes("Redis", async () => {
  await held.redis.flushall();
  return createModelRouteStore({ redis: held.redis, clock: createFakeClock() });
});
