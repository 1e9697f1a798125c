import { describeShareControl } from "../../../test/contracts/describe-share-control.ts";
import { aPromptBench } from "../../../test/contracts/share-benches.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createFollowerBook } from "../rollouts/redis-followers.ts";
import { createPromptRolloutStore, createPromptStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeShareControl("a prompt in Redis", async () => {
  await held.redis.flushall();
  const clock = createFakeClock();
  const { redis } = held;
  return aPromptBench({
    prompts: createPromptStore({ redis, clock }),
    rollouts: createPromptRolloutStore(redis),
    followers: createFollowerBook({ redis, clock }),
  });
});
