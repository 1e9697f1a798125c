import { describeEvaluations } from "../../../test/contracts/describe-evaluations.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createEvaluationStore } from "./redis-evaluations.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeEvaluations("Redis", async () => {
  await held.redis.flushall();
  return createEvaluationStore(held.redis);
});
