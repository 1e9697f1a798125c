import { describeShareControl } from "../../../test/contracts/describe-share-control.ts";
import { aFlagBench } from "../../../test/contracts/share-benches.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createFollowerBook } from "../rollouts/redis-followers.ts";
import { createFlagStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeShareControl("a flag in Redis", async () => {
  await held.redis.flushall();
  const clock = createFakeClock();
  const { redis } = held;
  return aFlagBench({ flags: createFlagStore({ redis, clock }), followers: createFollowerBook({ redis, clock }) });
});
