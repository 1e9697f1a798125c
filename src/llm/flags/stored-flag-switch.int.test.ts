import { describeFlagSwitch } from "../../../test/contracts/describe-flag-switch.ts";
import { aStoredFlagBench } from "../../../test/contracts/stored-flag-bench.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createFlagStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);
const clock = createFakeClock();

describeFlagSwitch("Our own store in Redis", async () => {
  await held.redis.flushall();
  return aStoredFlagBench(createFlagStore({ redis: held.redis, clock }), clock);
}, ["is away"]);
