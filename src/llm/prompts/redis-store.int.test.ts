import { describePromptRolloutStore } from "../../../test/contracts/describe-prompt-rollout-store.ts";
import { describePromptStore } from "../../../test/contracts/describe-prompt-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createPromptRolloutStore, createPromptStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describePromptStore("Redis", async () => {
  await held.redis.flushall();
  return createPromptStore({ redis: held.redis, clock: createFakeClock() });
});

describePromptRolloutStore("Redis", async () => {
  await held.redis.flushall();
  return createPromptRolloutStore(held.redis);
});
