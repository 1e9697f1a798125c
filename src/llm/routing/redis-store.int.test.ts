import { describeModelRoutes } from "../../../test/contracts/describe-model-routes.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createModelRouteStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeModelRoutes("Redis", async () => {
  await held.redis.flushall();
  return createModelRouteStore({ redis: held.redis, clock: createFakeClock() });
});
