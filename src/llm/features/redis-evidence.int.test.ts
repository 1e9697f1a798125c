import { describeEvidence } from "../../../test/contracts/describe-evidence.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createEvidenceStore } from "./redis-evidence.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeEvidence("Redis", async () => {
  await held.redis.flushall();
  return createEvidenceStore(held.redis);
});
