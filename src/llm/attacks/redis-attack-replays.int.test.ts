import { setTimeout as sleep } from "node:timers/promises";
import { describeAttackReplays } from "../../../test/contracts/describe-attack-replays.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createAttackReplayStore } from "./redis-attack-replays.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeAttackReplays("Redis", async () => {
  await held.redis.flushall();
  return { store: createAttackReplayStore(held.redis), pass: async (ms) => sleep(ms) };
});
