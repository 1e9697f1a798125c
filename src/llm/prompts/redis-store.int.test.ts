import { describeCanaryStore } from "../../testing/describe-canary-store.ts";
import { describePromptStore } from "../../testing/describe-prompt-store.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { holdRedis } from "../../testing/hold-redis.ts";
import { createCanaryStore, createPromptStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describePromptStore("Redis", async () => {
  await held.redis.flushall();
  return createPromptStore({ redis: held.redis, clock: createFakeClock() });
});

describeCanaryStore("Redis", async () => {
  await held.redis.flushall();
  return createCanaryStore(held.redis);
});
