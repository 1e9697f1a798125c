import { describeFlagStore } from "../../../test/contracts/describe-flag-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createFlagStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeFlagStore("Redis", async () => {
  await held.redis.flushall();
  return createFlagStore({ redis: held.redis, clock: createFakeClock() });
});
